"""A device's own vault, and those that it may read."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from console_ui.audit.models import Entry
from console_ui.devices.models import Kind, ReadGrant
from console_ui.django_settings import console_settings
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.gateway.access import Rights, authorise
from console_ui.storage.gateway.messages import Refusal
from console_ui.storage.models import LocationKind, Vault
from tests.console.gateways import make_location
from tests.console.people import Office
from tests.console.played_device import link


def test_a_device_whose_organisation_has_no_storage_has_no_vault_yet(office: Office) -> None:
    played, _, token = link(office)

    assert played.get("/api/v1/device/vaults", token).json() == {"vaults": []}


def test_a_device_gets_one_vault_of_its_own_however_often_it_asks(
    office: Office, other_office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, device, token = link(office)
    rescue, _, rescue_token = link(office, kind=Kind.RESTORE, sources=(device,))
    stranger, _, stranger_token = link(other_office, kind=Kind.RESTORE)

    first, again = (played.get("/api/v1/device/vaults", token).json() for _ in range(2))

    assert first == again
    assert [(each["name"], each["right"]) for each in first["vaults"]] == [("ATELIER-01", "own")]
    seen = rescue.get("/api/v1/device/vaults", rescue_token).json()["vaults"]
    assert [each["right"] for each in seen] == ["read"]
    assert stranger.get("/api/v1/device/vaults", stranger_token).json() == {"vaults": []}
    vault = Vault.objects.get()
    rights_in = LinkedDevices().rights_in
    rights = {token: Rights.WRITE, rescue_token: Rights.READ, stranger_token: Rights.NONE}
    for known, wanted in rights.items():
        found = rights_in(vault, known, address="")
        assert found is not None
        assert found[0] is wanted
    assert rights_in(vault, "no token", address="") is None


def test_to_a_device_a_vault_that_it_may_not_read_looks_like_none(
    office: Office, other_office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, _, token = link(office)
    _, _, neighbour_token = link(office, kind=Kind.RESTORE)
    _, _, stranger_token = link(other_office, kind=Kind.RESTORE)
    (vault,) = played.get("/api/v1/device/vaults", token).json()["vaults"]

    for vault_id in (uuid.UUID(vault["id"]), uuid.uuid4()):
        for known, wanted in ((neighbour_token, 404), (stranger_token, 404), ("no token", 401)):
            with pytest.raises(Refusal) as refusal:
                authorise(f"Bearer {known}", vault_id, address="", tokens=LinkedDevices())
            assert refusal.value.answer.status == wanted


def test_reading_another_devices_vault_is_in_the_audit_log_once_a_day(
    office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, device, token = link(office)
    _, reader, reader_token = link(office, kind=Kind.RESTORE, sources=(device,), name="Rescue")
    played.get("/api/v1/device/vaults", token)
    vault = Vault.objects.get()
    rights_in = LinkedDevices().rights_in

    for known in (token, reader_token, reader_token):
        assert rights_in(vault, known, address="203.0.113.9") is not None

    entry = Entry.objects.get(action="vault.read")
    assert (entry.actor_name, entry.about) == (reader.name, vault.name)
    ReadGrant.objects.update(read_noted_at=timezone.now() - timedelta(days=1))
    rights_in(vault, reader_token, address="203.0.113.9")
    assert Entry.objects.filter(action="vault.read").count() == 2
