"""Linked devices and vaults: whose is which, and what the gateway lets a device's token do."""

from __future__ import annotations

import json
import logging
from typing import assert_never

from django.db import IntegrityError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from backup_agent.errors import StorageError
from backup_agent.services.vault import is_object_name
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.actor import Actor
from console_ui.devices import tokens
from console_ui.devices.api import device_api, refusal
from console_ui.devices.linking import actor_of
from console_ui.devices.models import Device
from console_ui.devices.rights import Right, note_read, readable_sources, right_on
from console_ui.storage import console_key, vaults
from console_ui.storage.console_key import Handover
from console_ui.storage.gateway.access import Rights
from console_ui.storage.models import Location, Vault

_log = logging.getLogger(__name__)
_LONGEST_PASSWORD = 1000
_RIGHTS = {Right.OWN: Rights.WRITE, Right.READ: Rights.READ}


class LinkedDevices:
    """Answers the gateway from the database, every time: a removed device is out at once."""

    def rights_in(self, vault: Vault, token: str, *, address: str) -> tuple[Rights, Actor] | None:
        device = tokens.authenticate(token, address=address)
        if device is None or device.organisation_id != vault.organisation_id:
            return None
        right = right_on(device, vault.device_id)
        if right is Right.READ and vault.device_id is not None:
            note_read(device, vault.device_id, about=vault.name, address=address)
        rights = _RIGHTS.get(right)
        return (rights, actor_of(device, address=address)) if rights else None


@device_api
@require_safe
def listing(request: HttpRequest, device: Device) -> JsonResponse:
    """The vaults that the calling device may reach: its own, made now if need be, and those that
    it may read for a while.
    """
    try:
        own = own_vault(device, actor=actor_of(device, address=visitor_of(request).address))
    except StorageError as exc:
        # Its words name places and logins: they are for whoever runs the console.
        _log.warning("no vault could be made for a device: %s", exc.message)
        return refusal(503, "storage_unavailable")
    found = Vault.objects.of(device.organisation).filter(device_id__in=readable_sources(device))
    others = [vault for vault in found if vault != own]
    entries = [_entry(own, Right.OWN)] if own else []
    return JsonResponse({"vaults": entries + [_entry(vault, Right.READ) for vault in others]})


@device_api
@require_http_methods(["PUT"])
def hand_over_password(request: HttpRequest, device: Device) -> JsonResponse:
    """``{"password": "…", "key": "…"}``: the console keeps the password of that key file for the
    caller's own vault, until an owner takes it back.
    """
    if not device.backs_up:
        return refusal(403, "restore_only")
    match _json(request.body):
        case {"password": str(password), "key": str(key)} if 0 < len(
            password
        ) <= _LONGEST_PASSWORD and is_object_name(key):
            address, now = visitor_of(request).address, timezone.now()
            return _answer(console_key.take_over(device, password, key, address=address, now=now))
        case _:
            return refusal(400, "password_or_key_missing")


def _answer(handover: Handover) -> JsonResponse:
    match handover:
        case Handover.KEPT:
            return JsonResponse({})
        case Handover.NO_SUCH_KEY:
            return refusal(404, "no_such_key")
        case Handover.KEPT_ALREADY:
            return refusal(409, "kept_already")
        case _:
            assert_never(handover)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (UnicodeDecodeError, json.JSONDecodeError):
        return None


def own_vault(device: Device, *, actor: Actor) -> Vault | None:
    """The device's vault. It is made when first asked for, in the organisation's oldest location;
    None where there is none yet, or for a device that only restores.

    Raises ``StorageError`` where the location does not let it be made.
    """
    if not device.backs_up:
        return None
    if (found := Vault.objects.filter(device_id=device.pk).first()) is not None:
        return found
    location = Location.objects.of(device.organisation).order_by("added_at").first()
    if location is None:
        return None
    try:
        # In no transaction of ours: the storage may take its time, and others want to write.
        return vaults.make(
            device.organisation, location, name=device.name, by=actor, device_id=device.pk
        )
    except IntegrityError:
        # Two questions at once: the other one has made it.
        return Vault.objects.get(device_id=device.pk)


def _entry(vault: Vault, right: Right) -> dict[str, str]:
    return {
        "id": str(vault.pk),
        "name": vault.name,
        "path": f"/storage/{vault.pk}/",
        "right": right.value,
        "device_id": str(vault.device_id),
    }
