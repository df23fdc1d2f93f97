"""Who gets in at the gateway, and as whom."""

from __future__ import annotations

import uuid

import httpx
import pytest

from console_ui.accounts.application_passwords import revoke
from console_ui.accounts.models import ApplicationPassword, Role, Scope, User
from console_ui.storage.gateway import writing
from console_ui.storage.gateway.access import Rights
from console_ui.storage.models import Vault
from tests.console.gateways import Device, make_password
from tests.console.people import PASSWORD, enrol, make_member, make_office
from tests.console.stored_objects import name_of, put


def test_nobody_gets_in_without_the_right_application_password(device: Device) -> None:
    def status(login: str, password: str) -> int:
        return httpx.get(f"{device.url}keys/", auth=(login, password)).status_code

    enrol(User.objects.get(login_id=device.login))
    assert httpx.get(f"{device.url}keys/").status_code == 401
    assert status(device.login, "wrong") == 401
    assert status(device.login, PASSWORD) == 401
    assert status("SBA-0000-ADMIN", device.password) == 401
    assert status(device.login, device.password) == 200
    token = {"Authorization": "Bearer anything"}
    assert httpx.get(f"{device.url}keys/", headers=token).status_code == 401
    broken = {"Authorization": "Basic \x7f\x7f"}
    assert httpx.get(f"{device.url}keys/", headers=broken).status_code == 401

    revoke(ApplicationPassword.objects.all())
    assert status(device.login, device.password) == 401


def test_the_devices_id_is_a_login_for_its_vault_alone(device: Device) -> None:
    device_id = uuid.uuid4()
    Vault.objects.update(device_id=device_id)

    def status(login: str) -> int:
        return httpx.get(f"{device.url}keys/", auth=(login, device.password)).status_code

    assert status(str(device_id)) == 200
    assert status(str(uuid.uuid4())) == 401


def test_another_organisations_vault_looks_like_none(device: Device) -> None:
    other = make_office("Other & Co")
    password = make_password(other.owner, other.organisation)
    login = (other.owner.login_id, password)

    foreign = httpx.get(f"{device.url}keys/", auth=login)
    absent = httpx.get(f"{device.gateway}/storage/{uuid.uuid4()}/keys/", auth=login)

    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.content == absent.content


def test_a_password_for_reading_reads_and_locks_and_changes_nothing_else(device: Device) -> None:
    with device.client() as http:
        name = put(http, "snapshots", b"point")
    organisation = device.vault.organisation
    member = make_member(organisation, Role.OPERATOR, "reader@keller.example")
    password = make_password(member, organisation, Scope.STORAGE_READ)
    with httpx.Client(base_url=device.url, auth=(member.login_id, password)) as http:
        assert http.get(f"snapshots/{name}").content == b"point"
        lock = put(http, "locks", b"lock")
        assert http.delete(f"locks/{lock}").status_code == 200
        assert http.post(f"data/{name_of(b'x')}", content=b"x").status_code == 403
        assert http.delete(f"snapshots/{name}").status_code == 403
        assert http.post("", params={"create": "true"}).status_code == 403


def test_a_password_for_reading_cannot_fill_a_vault_with_locks(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(writing._MOST_LOCKS, Rights.READ, 3)
    member = make_member(device.vault.organisation, Role.OPERATOR, "reader@keller.example")
    password = make_password(member, device.vault.organisation, Scope.STORAGE_READ)
    with httpx.Client(base_url=device.url, auth=(member.login_id, password)) as reader:
        locks = [put(reader, "locks", bytes([n])) for n in range(3)]
        refused = reader.post(f"locks/{name_of(b'x')}", content=b"x")
        with device.client() as owner:
            put(owner, "locks", b"a place for who backs up")
        assert reader.post(f"locks/{locks[0]}", content=bytes([0])).status_code == 507
        reader.delete(f"locks/{locks[0]}").raise_for_status()
        reader.delete(f"locks/{locks[1]}").raise_for_status()
        put(reader, "locks", b"x")

    assert refused.status_code == 507
    assert "locks" in refused.text


def test_a_viewers_application_password_opens_no_backups(device: Device) -> None:
    organisation = device.vault.organisation
    member = make_member(organisation, Role.VIEWER, "looker@keller.example")
    password = make_password(member, organisation)

    answer = httpx.get(f"{device.url}keys/", auth=(member.login_id, password))

    assert answer.status_code == 403


def test_guessing_passwords_is_slowed_down(device: Device) -> None:
    statuses = [
        httpx.get(f"{device.url}keys/", auth=(device.login, f"guess {n}")).status_code
        for n in range(120)
    ]

    assert statuses[0] == 401
    assert statuses[-1] == 429
