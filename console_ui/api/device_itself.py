"""What a linked device asks about itself, the vaults that it may reach and their passwords."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Annotated, assert_never

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from backup_agent.errors import StorageError
from console_ui.accounts.throttle import Blocked
from console_ui.accounts.visitor import visitor_of
from console_ui.api.callers import DEVICES, device_of
from console_ui.api.refusals import REFUSALS, Refusal, Refused
from console_ui.devices import linking, managed_passwords
from console_ui.devices.models import Device
from console_ui.devices.rights import Right, readable_sources
from console_ui.storage import console_key
from console_ui.storage.console_key import Handover
from console_ui.storage.device_vaults import own_vault
from console_ui.storage.models import Vault

_log = logging.getLogger(__name__)

router = Router(auth=list(DEVICES), tags=["device"])


class DeviceItself(Schema):
    """Who the caller is. ``managed_password``: whether the console keeps one for its vault."""

    id: uuid.UUID
    name: str
    system: str
    kind: str
    key: str
    linked_at: datetime
    seen_at: datetime | None
    expires_at: datetime | None
    organisation: str
    managed_password: bool


class VaultShape(Schema):
    """A vault and what the caller may do with it; ``path`` is that of the storage gateway."""

    id: uuid.UUID
    name: str
    path: str
    right: str
    device_id: uuid.UUID


class VaultList(Schema):
    vaults: list[VaultShape]


class KeptPassword(Schema):
    """A vault's encryption password: a secret."""

    password: str


class HandedOver(Schema):
    """A password, and the name of the key file in the caller's own vault that it opens."""

    password: Annotated[str, Field(min_length=1, max_length=1000)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Done(Schema):
    """There is nothing to say about it."""


@router.get("/device", response={200: DeviceItself, **REFUSALS})
def this_device(request: HttpRequest) -> DeviceItself:
    device = device_of(request)
    return DeviceItself(
        id=device.pk,
        name=device.name,
        system=device.system,
        kind=device.kind,
        key=device.short_key,
        linked_at=device.linked_at,
        seen_at=device.seen_at,
        expires_at=device.expires_at,
        organisation=device.organisation.name,
        managed_password=hasattr(device, "managed_password"),
    )


@router.delete("/device", response={200: Done, **REFUSALS})
def unlink(request: HttpRequest) -> Done:
    """The caller is no device of this console any more. Its restore points stay."""
    device = device_of(request)
    actor = linking.actor_of(device, address=visitor_of(request).address)
    linking.remove(device, actor=actor, now=timezone.now())
    return Done()


@router.get("/device/vaults", response={200: VaultList, **REFUSALS, 503: Refusal})
def vaults(request: HttpRequest) -> VaultList:
    """The caller's own vault, made now if need be, and those that it may read for a while."""
    device = device_of(request)
    actor = linking.actor_of(device, address=visitor_of(request).address)
    try:
        own = own_vault(device, actor=actor)
    except StorageError as exc:
        # Its words name places and logins: they are for whoever runs the console.
        _log.warning("no vault could be made for a device: %s", exc.message)
        raise Refused(
            503, "storage_unavailable", "The storage of this console does not answer."
        ) from exc
    found = Vault.objects.of(device.organisation).filter(device_id__in=readable_sources(device))
    mine = [_vault_shape(own, Right.OWN)] if own else []
    others = [_vault_shape(vault, Right.READ) for vault in found if vault != own]
    return VaultList(vaults=mine + others)


@router.put("/device/managed-password", response={200: Done, **REFUSALS, 409: Refusal})
def hand_over(request: HttpRequest, told: HandedOver) -> Done:
    """The console keeps this password for the caller's own vault, until an owner removes it."""
    device = device_of(request)
    if not device.backs_up:
        raise Refused(403, "restore_only", "This device may restore, and has no vault of its own.")
    address, now = visitor_of(request).address, timezone.now()
    match console_key.take_over(device, told.password, told.key, address=address, now=now):
        case Handover.KEPT:
            return Done()
        case Handover.NO_SUCH_KEY:
            raise Refused(404, "no_such_key", "The device's vault has no key file of this name.")
        case Handover.KEPT_ALREADY:
            raise Refused(409, "kept_already", "The console keeps a password for it already.")
        case handover:
            assert_never(handover)


@router.get("/devices/{uuid:source_id}/managed-password", response={200: KeptPassword, **REFUSALS})
def managed_password(request: HttpRequest, source_id: uuid.UUID) -> KeptPassword:
    """That of a device's vault which the caller may read. It is noted, and owners are told."""
    device = device_of(request)
    source = Device.objects.of(device.organisation).filter(pk=source_id).first()
    address = visitor_of(request).address
    match managed_passwords.fetch(device, source, address=address) if source else None:
        case None:
            raise Refused(404, "not_found", "No password is kept that this device may have.")
        case Blocked(seconds=seconds):
            wait = {"Retry-After": str(seconds)}
            raise Refused(429, "too_many_attempts", "It was fetched too often.", headers=wait)
        case password:
            return KeptPassword(password=password)


def _vault_shape(vault: Vault, right: Right) -> VaultShape:
    assert vault.device_id is not None
    return VaultShape(
        id=vault.pk,
        name=vault.name,
        path=f"/storage/{vault.pk}/",
        right=right.value,
        device_id=vault.device_id,
    )
