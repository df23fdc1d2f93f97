"""The console's own key of a vault: whose password it keeps, and which no device may delete."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from django.db import transaction
from django.utils.translation import gettext as _

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.audit.actor import Actor
from console_ui.devices import managed_passwords
from console_ui.devices.models import Device
from console_ui.storage import catalog, objects
from console_ui.storage.models import State, Vault
from console_ui.storage.stores import stores


class Handover(Enum):
    """What became of a password that a device has handed over."""

    KEPT = auto()
    NO_SUCH_KEY = auto()
    KEPT_ALREADY = auto()


@transaction.atomic
def take_over(
    device: Device, password: str, key_name: str, *, address: str, now: datetime
) -> Handover:
    """Keep the password of a key of the device's own vault, which it cannot delete from now on."""
    # Locked, so that nobody hides the key meanwhile.
    vault = Vault.objects.select_for_update().filter(device_id=device.pk).first()
    key = catalog.find(vault, ObjectKey(FileKind.KEY, key_name)) if vault else None
    if vault is None or key is None or key.state != State.VISIBLE:
        return Handover.NO_SUCH_KEY
    if not managed_passwords.keep(device, password, address=address, now=now):
        return Handover.KEPT_ALREADY
    Vault.objects.filter(pk=vault.pk).update(console_key=key_name)
    return Handover.KEPT


def give_up(vault: Vault, *, by: Actor, now: datetime) -> None:
    """An owner wants the console to know the vault's password no more: the key goes with it.

    Hidden, as everything that is deleted: bringing the vault back brings a key whose password
    nobody has. Raises ``RefusedError`` where no other key is left, ``StorageError``.
    """
    with transaction.atomic():
        locked = Vault.objects.select_for_update().get(pk=vault.pk)
        key = catalog.find(locked, ObjectKey(FileKind.KEY, locked.console_key))
        if not catalog.visible(locked, FileKind.KEY).exclude(name=locked.console_key).exists():
            raise objects.RefusedError(
                _("This is the only key of the vault: nothing would open it any more."),
                hint=_("Add another password on the device first: everboot key add."),
            )
        if vault.device_id is not None:
            managed_passwords.forget(Device.objects.get(pk=vault.device_id), by=by)
        Vault.objects.filter(pk=vault.pk).update(console_key="")
    if key is not None:
        objects.hide(stores.of(vault), key, now=now)
