"""Passwords that the console keeps for vaults: sealed, given out to who may read the vault.

A managed password opens a restic key of its own, so taking it away leaves the person's own
password as it is.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console_ui.audit.record import record
from console_ui.devices import notices
from console_ui.devices.linking import actor_of
from console_ui.devices.models import Device, ManagedPassword
from console_ui.devices.rights import Right, right_on
from console_ui.sealing import seal, unseal


@transaction.atomic
def keep(device: Device, password: str, *, address: str, now: datetime) -> None:
    """Keep this one for the device's own vault, instead of any before."""
    sealed = seal(password.encode(), context=_context(device))
    ManagedPassword.objects.update_or_create(
        device=device, defaults={"sealed": sealed, "kept_at": now}
    )
    record(
        "managed_password.kept",
        by=actor_of(device, address=address),
        organisation_id=device.organisation_id,
        about=device.name,
    )


@transaction.atomic
def forget(device: Device, *, address: str) -> None:
    ManagedPassword.objects.filter(device=device).delete()
    record(
        "managed_password.forgotten",
        by=actor_of(device, address=address),
        organisation_id=device.organisation_id,
        about=device.name,
    )


def fetch(reader: Device, source: Device, *, address: str) -> str | None:
    """The password of the source's vault; None where ``reader`` may not, or none is kept.

    It is in the audit log before it is given out, and the owners are told by mail.
    """
    kept = ManagedPassword.objects.filter(device=source).first()
    if right_on(reader, source.pk) is Right.NONE or kept is None:
        return None
    password = unseal(bytes(kept.sealed), context=_context(source)).decode()
    record(
        "managed_password.fetched",
        by=actor_of(reader, address=address),
        organisation_id=reader.organisation_id,
        about=source.name,
    )
    if reader != source:
        notices.password_fetched(reader, source, address=address)
    return password


def kept_for(device: Device) -> str | None:
    """The password of the device's vault, for a person who restores in the browser; None if none
    is kept. What is done with it is for the caller to record.
    """
    kept = ManagedPassword.objects.filter(device=device).first()
    if kept is None:
        return None
    return unseal(bytes(kept.sealed), context=_context(device)).decode()


def _context(device: Device) -> str:
    return f"managed-password:{device.pk}"
