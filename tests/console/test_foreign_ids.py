"""Every address that takes an id, those that are added later included: another organisation's
looks exactly like one that never was.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from console_ui.accounts import application_passwords, secret_links
from console_ui.accounts.models import Purpose, Role, Scope, SecurityKey, TrustedBrowser
from console_ui.activity.models import Command, CommandKind
from console_ui.devices import managed_passwords
from console_ui.devices.models import Kind
from console_ui.django_settings import console_settings
from console_ui.storage.models import LocationKind, StoredObject
from tests.console.gateways import make_location, make_vault
from tests.console.people import Office, enrol
from tests.console.played_device import link

# What stands in addresses and is no id of anything that belongs to somebody.
_NO_IDS = {"version", "name", "kind", "rest"}


def _patterns() -> list[str]:
    found = _walk(get_resolver().url_patterns, "/")
    return [each for each in found if _parameters(each) - _NO_IDS]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, path)
        else:
            yield path


def _parameters(pattern: str) -> set[str]:
    """The names in ``<uuid:device_id>`` and the like."""
    return {part.partition(">")[0].partition(":")[2] for part in pattern.split("<")[1:]}


def _filled(pattern: str, ids: dict[str, str]) -> str:
    """The address with ids in it; a ``KeyError`` names the parameter that ``_things_of`` lacks."""
    for name in _parameters(pattern):
        kind = pattern.partition(f":{name}>")[0].rpartition("<")[2]
        pattern = pattern.replace(f"<{kind}:{name}>", ids[name])
    return pattern


def _things_of(office: Office, folder: str) -> tuple[dict[str, str], str]:
    """One id of each kind that the organisation has, and an access token of a device that may
    read the vault of ``source_id``.
    """
    organisation, owner = office.organisation, office.owner
    enrol(owner)
    _, source, _ = link(office, name="PLAN-SERVER")
    _, rescue, token = link(office, kind=Kind.RESTORE, sources=(source,), name="RESCUE")
    managed_passwords.keep(source, "kept", address="", now=timezone.now())
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": folder}
    location = make_location(organisation, LocationKind.FOLDER, fields)
    secret_links.make(
        Purpose.INVITATION, email="guest@x.example", organisation=organisation, role=Role.VIEWER
    )
    browser = TrustedBrowser.objects.create(
        user=owner, token_hash=uuid.uuid4().hex, expires_at=timezone.now()
    )
    key = SecurityKey.objects.create(
        user=owner, name="Key", credential_id=uuid.uuid4().hex, public_key=b"", sign_count=0
    )
    other_browser = Client()
    other_browser.force_login(owner)
    password, _ = application_passwords.make(owner, organisation, name="x", scopes=[Scope.API])
    vault = make_vault(organisation, location)
    point = StoredObject.objects.create(
        vault=vault, kind="snapshots", name=uuid.uuid4().hex * 2, size=1
    )
    command = Command.objects.create(
        device=rescue, kind=CommandKind.STOP, asked_at=timezone.now(), expires_at=timezone.now()
    )
    ids = {
        "browser_id": browser.pk,
        "command_id": command.pk,
        "device_id": source.pk,
        "key": owner.sessions.get().session_key,
        "key_id": key.pk,
        "link_id": organisation.secretlink_set.get().pk,
        "location_id": location.pk,
        "membership_id": organisation.memberships.get(role=Role.VIEWER).pk,
        "password_id": password.pk,
        "source_id": source.pk,
        "vault_id": vault.pk,
        "point": point.name,
        "reference": "7" * 32,
    }
    return {name: str(each) for name, each in ids.items()}, token


def _statuses(office: Office, token: str, address: str) -> set[int]:
    """How a form, and a look, of the confirmed owner end; of a device at the API."""
    client = Client(headers={"Authorization": f"Bearer {token}"})
    client.force_login(office.owner)
    session = client.session
    session["confirmed_at"] = time.time()
    session.save()
    # Words that make sense wherever some are asked for, or 404 would say nothing.
    if address.startswith("/api/"):
        told = {"kind": "stop", "state": "taken"}
        answer = client.post(address, told, content_type="application/json")
    else:
        answer = client.post(address, {"role": "viewer"})
    return {client.get(address).status_code, answer.status_code}


def test_the_walk_finds_the_addresses_that_are_known() -> None:
    known = {"/devices/<uuid:device_id>/remove", "/vaults/<uuid:vault_id>"}

    assert known <= set(_patterns())
    assert len(_patterns()) >= 20


@pytest.mark.parametrize("pattern", _patterns())
def test_an_id_of_another_organisation_is_not_there(
    office: Office, other_office: Office, tmp_path: Path, pattern: str
) -> None:
    _own, token = _things_of(office, f"{tmp_path.name}-own")
    foreign, _token = _things_of(other_office, f"{tmp_path.name}-other")

    # 405: it does not take that method, whatever the id.
    assert _statuses(office, token, _filled(pattern, foreign)) - {405} == {404}


@pytest.mark.parametrize("pattern", _patterns())
def test_an_id_of_ones_own_organisation_is_there(
    office: Office, tmp_path: Path, pattern: str
) -> None:
    """Or the test above would prove nothing."""
    own, token = _things_of(office, tmp_path.name)
    if pattern.startswith("/account/organisations/"):
        own["membership_id"] = str(office.owner.memberships.get().pk)

    assert _statuses(office, token, _filled(pattern, own)) & {200, 302}
