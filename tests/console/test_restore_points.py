"""The list of restore points: what tells them apart before anybody unlocks the vault."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from backup_agent.services.vault import FileKind
from console_ui.activity.models import RestorePoint
from console_ui.devices.models import Device
from console_ui.storage.models import LocationKind, State, StoredObject, Vault
from tests.console.gateways import make_location
from tests.console.people import Office
from tests.console.reporting import reporting_device

NOON = datetime(2026, 11, 16, 12, 2, 7, tzinfo=UTC)


@pytest.fixture
def vault(office: Office, tmp_path: Path) -> Vault:
    location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(tmp_path)})
    device = reporting_device(office).row
    return Vault.objects.create(
        organisation=office.organisation, location=location, name="PC", device_id=device.pk
    )


def store(vault: Vault, number: int, at: datetime, **reported: object) -> None:
    """A restore point in the catalog, and what its device said of it, if anything."""
    name = f"{number:064x}"
    StoredObject.objects.create(
        vault=vault,
        kind=FileKind.SNAPSHOT.value,
        name=name,
        size=200,
        state=State.VISIBLE,
        stored_at=at,
    )
    if reported:
        device = Device.objects.get(name="ATELIER-01")
        RestorePoint.objects.create(device=device, snapshot=name, made_at=at, **reported)


def rows(client: Client, vault: Vault, query: str = "") -> list[str]:
    """The lines of the table, as they read."""
    raw = client.get(f"/vaults/{vault.pk}/restore{query}").content.decode()
    found = re.findall(r'<tr><td class="nw">.*?</tr>', raw, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


def test_points_of_one_minute_are_told_apart_while_locked(owner: Client, vault: Vault) -> None:
    store(vault, 1, NOON, kind="disk", size=1_200_000_000_000, added=1_400_000_000, omitted=3)
    store(vault, 2, NOON.replace(second=48), kind="files", paths=["/srv"], size=5000, added=1000)
    store(vault, 3, NOON.replace(second=50))

    unknown, files, disk = rows(owner, vault)

    assert unknown == "Mon 16 Nov 2026, 12:02:50 Locked 00000000 Browse"
    assert files.replace("\xa0", " ") == (
        "Mon 16 Nov 2026, 12:02:48 Complete /srv 5 kB 1 kB Browse"
    )
    assert disk.replace("\xa0", " ") == (
        "Mon 16 Nov 2026, 12:02:07 3 items left out Entire machine 1.2 TB 1.4 GB Browse"
    )


def test_a_month_is_chosen_among_those_that_have_points(owner: Client, vault: Vault) -> None:
    store(vault, 1, NOON)
    assert "All months" not in owner.get(f"/vaults/{vault.pk}/restore").content.decode()
    store(vault, 2, NOON.replace(month=9))

    page = owner.get(f"/vaults/{vault.pk}/restore").content.decode()

    assert re.findall(r'<option value="(2026-\d\d)"', page) == ["2026-11", "2026-09"]
    assert rows(owner, vault, "?month=2026-09") == [
        "Wed 16 Sep 2026, 12:02:07 Locked 00000000 Browse"
    ]
    for nonsense in ("2026-10", "2026-99", "x"):
        assert len(rows(owner, vault, f"?month={nonsense}")) == 2


def test_what_another_device_said_of_a_point_is_not_believed(
    owner: Client, office: Office, vault: Vault
) -> None:
    store(vault, 1, NOON)
    other = reporting_device(office, name="RECEPTION").row
    RestorePoint.objects.create(
        device=other, snapshot=f"{1:064x}", made_at=NOON, kind="disk", size=7
    )

    assert rows(owner, vault) == ["Mon 16 Nov 2026, 12:02:07 Locked 00000000 Browse"]
