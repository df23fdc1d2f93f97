"""An application password opens the vaults it was made for, and ends with what it was made for."""

from __future__ import annotations

import base64
import re
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import ApplicationPassword, Organisation, Reach, Scope
from console_ui.audit.models import Entry
from console_ui.devices.models import Device, Kind
from console_ui.django_settings import console_settings
from console_ui.storage.gateway.access import Access, Rights, authorise
from console_ui.storage.gateway.messages import Refusal
from console_ui.storage.models import LocationKind, Vault
from tests.console.gateways import make_location, make_password, make_vault
from tests.console.people import PASSWORD, Office, enrol, log_in
from tests.console.played_device import link


@pytest.fixture
def vaults(office: Office, tmp_path: Path) -> tuple[Vault, Vault]:
    """That of a linked device, and one that belongs to none."""
    _, device, _ = link(office)
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    location = make_location(office.organisation, LocationKind.FOLDER, fields)
    found = (
        make_vault(office.organisation, location, device_id=device.pk),
        make_vault(office.organisation, location),
    )
    for vault, name in zip(found, ("ATELIER-01", "Archive"), strict=True):
        vault.name = name
        vault.save()
    return found


def test_a_password_opens_the_chosen_vaults_and_no_other(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    chosen, other = vaults
    log_in(client, office.owner.email)

    password = made(client, "storage", target_of(chosen))

    assert opened(office, password, chosen) is Rights.WRITE
    assert opened(office, password, other) == 404
    entry = Entry.objects.get(action="application_password.made")
    assert entry.details == {"scope": "storage", "vaults": chosen.name}
    assert chosen.name in client.get("/account/application-passwords").content.decode()


def test_a_password_for_reading_one_vault_only_reads(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    log_in(client, office.operator.email)

    password = made(client, "storage-read", target_of(vaults[1]))

    credentials = base64.b64encode(f"{office.operator.login_id}:{password}".encode()).decode()
    found = authorise(f"Basic {credentials}", vaults[1].pk, address="::1", tokens=None)
    assert found.rights is Rights.READ


def test_a_password_for_storage_names_a_vault_of_ones_own_organisation(
    client: Client, office: Office, other_office: Office, vaults: tuple[Vault, Vault]
) -> None:
    log_in(client, other_office.owner.email)

    for chosen in ([], [target_of(vaults[0])], [str(vaults[1].pk)], [str(uuid.uuid4())]):
        page = ask(client, "storage", *chosen)
        assert 'class="error"' in page
    assert not ApplicationPassword.objects.exists()


def test_a_viewer_is_offered_no_vault(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    log_in(client, office.viewer.email)

    assert vaults[0].name not in client.get("/account/application-passwords/make").content.decode()
    assert 'class="error"' in ask(client, "storage", target_of(vaults[0]))


def test_a_password_for_the_api_opens_no_vault_whatever_was_ticked(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    log_in(client, office.owner.email)

    password = made(client, "api", target_of(vaults[0]))

    assert opened(office, password, vaults[0]) == 401
    assert not Reach.objects.exists()


def test_a_device_s_vault_is_made_when_a_password_is_made_for_it(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    _, device, _ = link(office)
    rescue = link(office, kind=Kind.RESTORE)[1]
    log_in(client, office.owner.email)
    page = client.get("/account/application-passwords/make").content.decode()
    assert str(device.pk) in page
    assert str(rescue.pk) not in page

    password = made(client, "storage", str(device.pk))

    assert opened(office, password, Vault.objects.get(device_id=device.pk)) is Rights.WRITE


def test_what_was_made_for_a_device_dies_with_its_removal(
    client: Client, office: Office, vaults: tuple[Vault, Vault]
) -> None:
    own, other = vaults
    log_in(client, office.owner.email)
    for_device = made(client, "storage", target_of(own))
    for_both = made(client, "storage", target_of(own), target_of(other))

    client.post(f"/devices/{own.device_id}/remove")

    assert opened(office, for_device, own) == 401
    assert opened(office, for_both, own) == 404
    assert opened(office, for_both, other) is Rights.WRITE
    assert Entry.objects.get(action="device.removed").details == {
        "application_passwords_revoked": 1
    }
    after_the_theft = made(client, "storage-read", str(own.pk))
    assert opened(office, after_the_theft, own) is Rights.READ


def test_enforcement_stops_the_gateway_for_people_without_a_second_factor(
    office: Office, vaults: tuple[Vault, Vault]
) -> None:
    password = make_password(office.owner, office.organisation)
    assert opened(office, password, vaults[1]) is Rights.WRITE

    Organisation.objects.update(requires_second_factor=True)

    assert opened(office, password, vaults[1]) == 403


def test_without_a_second_factor_the_account_password_opens_the_vaults_of_the_organisation(
    office: Office, other_office: Office, vaults: tuple[Vault, Vault], tmp_path: Path
) -> None:
    fields = {"root": str(console_settings().storage_roots[0]), "folder": f"{tmp_path.name}-2"}
    location = make_location(other_office.organisation, LocationKind.FOLDER, fields)
    foreign = make_vault(other_office.organisation, location)

    assert [opened(office, PASSWORD, vault) for vault in vaults] == [Rights.WRITE] * 2
    assert opened(office, PASSWORD, foreign) == 401
    credentials = base64.b64encode(f"{office.viewer.email}:{PASSWORD}".encode()).decode()
    with pytest.raises(Refusal) as refused:
        authorise(f"Basic {credentials}", vaults[0].pk, address="::1", tokens=None)
    assert refused.value.answer.status == 403

    enrol(office.owner)
    assert opened(office, PASSWORD, vaults[0]) == 401


@pytest.mark.usefixtures("transactional_db")
def test_passwords_from_before_keep_what_they_opened_but_removed_devices_vaults(
    tmp_path: Path,
) -> None:
    from tests.console.people import make_office

    office, other = make_office("Keller Fontana Architects"), make_office("Other & Co")
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    location = make_location(office.organisation, LocationKind.FOLDER, fields)
    kept, removed = (link(office)[1] for _ in range(2))
    Device.objects.filter(pk=removed.pk).update(revoked_at=timezone.now())
    make_vault(office.organisation, location, device_id=kept.pk)
    make_vault(office.organisation, location, device_id=removed.pk)
    plain = make_vault(office.organisation, location)
    make_password(office.owner, office.organisation)
    make_password(office.owner, office.organisation, Scope.API)
    make_password(other.owner, other.organisation)
    nodes = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        MigrationExecutor(connection).migrate([("accounts", "0001_first")])
    finally:
        MigrationExecutor(connection).migrate(nodes)

    reached = Reach.objects.values_list("password__user__email", "target_id")
    email = office.owner.email
    assert set(reached) == {(email, kept.pk), (email, plain.pk)}


def target_of(vault: Vault) -> str:
    return str(vault.device_id or vault.pk)


def ask(client: Client, scope: str, *targets: str) -> str:
    form = {"name": "restic", "scope": scope, "vaults": targets, "days": "0"}
    return client.post("/account/application-passwords/make", form).content.decode()


def made(client: Client, scope: str, *targets: str) -> str:
    shown = re.search(r'id="password">([0-9A-Z-]+)<', ask(client, scope, *targets))
    assert shown is not None
    return shown[1]


def opened(office: Office, password: str, vault: Vault) -> Rights | int:
    """What the gateway lets the owner's program do there, or the answer's status."""
    credentials = base64.b64encode(f"{office.owner.login_id}:{password}".encode()).decode()
    try:
        found: Access = authorise(f"Basic {credentials}", vault.pk, address="::1", tokens=None)
    except Refusal as refused:
        return refused.answer.status
    return found.rights
