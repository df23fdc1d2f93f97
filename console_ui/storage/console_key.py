"""The console's own key of a vault: whose password it keeps, and which no device may delete."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.audit.actor import Actor
from console_ui.devices import managed_passwords
from console_ui.devices.models import Device
from console_ui.storage import catalog, objects
from console_ui.storage.models import StoredObject, Vault
from console_ui.storage.stores import stores


class Handover(Enum):
    """What became of a password that a device has handed over."""

    KEPT = auto()
    NO_SUCH_KEY = auto()
    KEPT_ALREADY = auto()


def take_over(
    device: Device, password: str, key_name: str, *, address: str, now: datetime
) -> Handover:
    """Keep the password of a key of the device's own vault, which it cannot delete from now on."""
    own = Vault.objects.filter(device_id=device.pk).first()
    if own is None:
        return Handover.NO_SUCH_KEY
    # Nobody hides the key meanwhile.
    with catalog.changing(own.pk) as vault:
        if not _visible_keys(vault).filter(name=key_name).exists():
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
    with catalog.changing(vault.pk) as current:
        name = current.console_key
        if not _visible_keys(current).exclude(name=name).exists():
            raise objects.RefusedError(
                _("This is the only key of the vault: nothing would open it any more."),
                hint=_("Add another password on the device first: everboot key add."),
            )
        if current.device_id is not None:
            managed_passwords.forget(Device.objects.get(pk=current.device_id), by=by)
        Vault.objects.filter(pk=vault.pk).update(console_key="")
        key = catalog.find(current, ObjectKey(FileKind.KEY, name))
    if key is not None:
        objects.hide(stores.of(vault), key, now=now)


def _visible_keys(vault: Vault) -> QuerySet[StoredObject]:
    return catalog.visible(vault, FileKind.KEY)
