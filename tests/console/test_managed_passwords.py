"""Passwords that the console keeps, and the keys they belong to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backup_agent.services.vault import FileKind
from console_ui.accounts.models import Role
from console_ui.audit.models import Entry
from console_ui.devices.models import Device, Kind, ManagedPassword, ReadGrant
from console_ui.django_settings import console_settings
from console_ui.storage import objects
from console_ui.storage.models import LocationKind, State, StoredObject, Vault
from console_ui.web import mail
from tests.console.gateways import delete_object, make_location, make_vault, store_object
from tests.console.people import PASSWORD, Office
from tests.console.played_device import PlayedDevice, link

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


class Source:
    """A linked device that backs up, and its vault with two keys."""

    def __init__(self, office: Office, root: Path) -> None:
        played, self.device, self.token = link(office, name="PLAN-SERVER")
        self.http = played.http
        location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(root)})
        self.vault = make_vault(office.organisation, location, device_id=self.device.pk)
        self.own_key = self.add_key(b"opened by a person")
        self.key = self.add_key(b"opened by the console")

    def add_key(self, body: bytes) -> StoredObject:
        return store_object(self.vault, FileKind.KEY, body, at=timezone.now())

    def hand_over(self, password: object = "kept for you", key: object = None) -> Answer:
        return self.http.put(
            "/api/v1/device/managed-password",
            {"password": password, "key": self.key.name if key is None else key},
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def delete(self, line: StoredObject) -> None:
        delete_object(self.vault, line, at=timezone.now())


@pytest.fixture
def source(office: Office, tmp_path: Path, settings: Settings) -> Source:
    settings.EVERBOOT = replace(console_settings(), storage_roots=(tmp_path,))
    return Source(office, tmp_path)


def mails_about_it() -> list[EmailMessage]:
    """Linking sends mails of its own."""
    return [each for each in django_mail.outbox if "fetched the password" in each.subject]


def rescue(office: Office, source: Source) -> tuple[PlayedDevice, Device, str]:
    return link(office, kind=Kind.RESTORE, sources=(source.device,), name="Rescue")


def test_it_goes_to_who_may_read_and_the_owner_is_told(office: Office, source: Source) -> None:
    assert source.hand_over().status_code == 200
    allowed, _, allowed_token = rescue(office, source)
    stranger, _, stranger_token = link(office, kind=Kind.RESTORE, name="Stranger")
    address = f"/api/v1/devices/{source.device.pk}/managed-password"

    refused = stranger.get(address, stranger_token)
    given = allowed.get(address, allowed_token)
    mail.wait_until_sent()

    assert refused.status_code == 404
    assert given.json() == {"password": "kept for you"}
    entry = Entry.objects.get(action="managed_password.fetched")
    assert (entry.actor_name, entry.about) == ("Rescue", "PLAN-SERVER")
    assert [message.to for message in mails_about_it()] == [[office.owner.email]]


def test_owners_are_told_once_a_day_and_of_another_address(office: Office, source: Source) -> None:
    source.hand_over()
    played, _, token = rescue(office, source)
    address = f"/api/v1/devices/{source.device.pk}/managed-password"

    def fetch(**extra: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        assert played.http.get(address, headers=headers, **extra).status_code == 200  # type: ignore[arg-type]

    for _ in range(5):
        fetch()
    mail.wait_until_sent()
    assert len(mails_about_it()) == 1
    fetch(REMOTE_ADDR="203.0.113.9")
    mail.wait_until_sent()
    assert len(mails_about_it()) == 2
    ReadGrant.objects.update(told_at=timezone.now() - timedelta(days=1))
    fetch(REMOTE_ADDR="203.0.113.9")
    mail.wait_until_sent()

    assert len(mails_about_it()) == 3
    assert Entry.objects.filter(action="managed_password.fetched").count() == 7


def test_who_fetches_a_password_again_and_again_has_to_wait(office: Office, source: Source) -> None:
    source.hand_over()
    played, _, token = rescue(office, source)
    address = f"/api/v1/devices/{source.device.pk}/managed-password"

    answers = [played.get(address, token) for _ in range(35)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 5
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert Entry.objects.filter(action="managed_password.fetched").count() == 30


def test_a_device_cannot_delete_the_key_that_the_console_opens(source: Source) -> None:
    source.hand_over()

    with pytest.raises(objects.RefusedError):
        source.delete(source.key)
    source.delete(source.own_key)

    source.key.refresh_from_db()
    assert source.key.state == State.VISIBLE
    assert Vault.objects.get(pk=source.vault.pk).console_key == source.key.name


def test_a_device_can_neither_replace_nor_take_back_what_the_console_keeps(source: Source) -> None:
    source.hand_over()
    other = source.add_key(b"another key")

    replaced = source.hand_over("rubbish", other.name)
    taken_back = source.http.delete(
        "/api/v1/device/managed-password", headers={"Authorization": f"Bearer {source.token}"}
    )

    assert (replaced.status_code, replaced.json()["code"]) == (409, "kept_already")
    assert taken_back.status_code == 405
    assert ManagedPassword.objects.count() == 1
    assert Vault.objects.get(pk=source.vault.pk).console_key == source.key.name


@pytest.mark.parametrize(
    ("password", "key", "status"),
    [
        ("kept for you", "0" * 64, 404),
        ("kept for you", "\0", 422),
        ("kept for you", 7, 422),
        ("", None, 422),
        ("x" * 1001, None, 422),
    ],
)
def test_a_password_without_its_key_is_not_kept(
    source: Source, password: str, key: object, status: int
) -> None:
    assert source.hand_over(password, key).status_code == status
    assert not ManagedPassword.objects.exists()


def test_a_key_that_was_deleted_is_not_taken_over(source: Source) -> None:
    source.delete(source.key)

    assert source.hand_over().status_code == 404
    assert not ManagedPassword.objects.exists()


def test_a_device_that_only_restores_hands_over_no_password(office: Office, source: Source) -> None:
    played, _, token = link(office, kind=Kind.RESTORE)

    answer = played.http.put(
        "/api/v1/device/managed-password",
        {"password": "x", "key": source.key.name},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 403


def test_an_owner_removes_the_managed_password_and_its_key(owner: Client, source: Source) -> None:
    source.hand_over()
    owner.post("/confirm", {"password": PASSWORD})
    page = f"/vaults/{source.vault.pk}"
    assert "Remove the managed password" in owner.get(page).content.decode()

    owner.post(f"{page}/console-key/remove")

    source.key.refresh_from_db()
    assert source.key.state == State.HIDDEN
    assert not ManagedPassword.objects.exists()
    assert Vault.objects.get(pk=source.vault.pk).console_key == ""
    assert "Remove the managed password" not in owner.get(page).content.decode()
    assert Entry.objects.filter(action="managed_password.forgotten").count() == 1
    assert source.hand_over("another", source.add_key(b"another").name).status_code == 200


def test_the_only_key_of_a_vault_is_not_removed_by_its_owner_either(
    owner: Client, source: Source
) -> None:
    source.hand_over()
    source.delete(source.own_key)
    owner.post("/confirm", {"password": PASSWORD})

    answer = owner.post(f"/vaults/{source.vault.pk}/console-key/remove", follow=True)

    assert "only key" in answer.content.decode()
    assert ManagedPassword.objects.exists()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR, Role.VIEWER])
def test_nobody_but_an_owner_removes_a_managed_password(
    client: Client, office: Office, source: Source, role: Role
) -> None:
    source.hand_over()
    client.force_login(office.member(role))
    client.post("/confirm", {"password": PASSWORD})

    assert client.post(f"/vaults/{source.vault.pk}/console-key/remove").status_code == 403
    assert ManagedPassword.objects.exists()
