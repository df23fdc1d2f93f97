"""Linked devices and vaults: whose is which, and what the gateway lets a device's token do."""

from __future__ import annotations

from django.db import IntegrityError

from console_ui.audit.actor import Actor
from console_ui.devices import tokens
from console_ui.devices.linking import actor_of
from console_ui.devices.models import Device
from console_ui.devices.rights import Right, note_read, right_on
from console_ui.storage import vaults
from console_ui.storage.gateway.access import Rights
from console_ui.storage.models import Location, Vault

_RIGHTS = {Right.OWN: Rights.WRITE, Right.READ: Rights.READ, Right.NONE: Rights.NONE}


class LinkedDevices:
    """Answers the gateway from the database, every time: a removed device is out at once."""

    def rights_in(
        self, vault: Vault | None, token: str, *, address: str
    ) -> tuple[Rights, Actor] | None:
        device = tokens.authenticate(token, address=address)
        if device is None:
            return None
        is_ours = vault is not None and device.organisation_id == vault.organisation_id
        right = right_on(device, vault.device_id) if vault and is_ours else Right.NONE
        if right is Right.READ and vault and vault.device_id is not None:
            note_read(device, vault.device_id, about=vault.name, address=address)
        return _RIGHTS[right], actor_of(device, address=address)


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
