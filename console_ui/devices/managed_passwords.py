"""Passwords that the console keeps for vaults: sealed, given out to who may read the vault.

A managed password opens a restic key of its own, so taking it away leaves the person's own
password as it is. A device hands one over once and can neither replace nor take it back: who
has stolen the device could otherwise make the console forget it. An owner can (``storage``
knows which key file belongs to it).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console_ui.accounts import throttle
from console_ui.accounts.throttle import Blocked
from console_ui.audit.actor import Actor
from console_ui.audit.record import record
from console_ui.devices import notices
from console_ui.devices.limits import PASSWORD_FETCH
from console_ui.devices.linking import actor_of
from console_ui.devices.models import Device, ManagedPassword, ReadGrant
from console_ui.devices.rights import Right, right_on
from console_ui.sealing import seal, unseal

_TOLD_AGAIN_AFTER = timedelta(days=1)


@transaction.atomic
def keep(device: Device, password: str, *, address: str, now: datetime) -> bool:
    """Keep this one for the device's own vault; False where one is kept already."""
    sealed = seal(password.encode(), context=_context(device))
    _kept, is_new = ManagedPassword.objects.get_or_create(
        device=device, defaults={"sealed": sealed, "kept_at": now}
    )
    if is_new:
        record(
            "managed_password.kept",
            by=actor_of(device, address=address),
            organisation_id=device.organisation_id,
            about=device.name,
        )
    return is_new


@transaction.atomic
def forget(device: Device, *, by: Actor) -> None:
    ManagedPassword.objects.filter(device=device).delete()
    record(
        "managed_password.forgotten",
        by=by,
        organisation_id=device.organisation_id,
        about=device.name,
    )


def fetch(reader: Device, source: Device, *, address: str) -> str | Blocked | None:
    """The password of the source's vault; None where ``reader`` may not, or none is kept.

    It is in the audit log before it is given out, and the owners are told by mail: once a day,
    and again when it comes from another address.
    """
    kept = ManagedPassword.objects.filter(device=source).first()
    if right_on(reader, source.pk) is Right.NONE or kept is None:
        return None
    if (blocked := throttle.attempt(PASSWORD_FETCH, f"{reader.pk} {source.pk}")) is not None:
        return blocked
    password = unseal(bytes(kept.sealed), context=_context(source)).decode()
    with transaction.atomic():
        record(
            "managed_password.fetched",
            by=actor_of(reader, address=address),
            organisation_id=reader.organisation_id,
            about=source.name,
        )
        if reader != source and _is_news(reader, source, address=address, now=timezone.now()):
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


def _is_news(reader: Device, source: Device, *, address: str, now: datetime) -> bool:
    """Whether the owners have not been told of this yet; they are from now on."""
    long_ago = Q(told_at=None) | Q(told_at__lte=now - _TOLD_AGAIN_AFTER)
    untold = ReadGrant.objects.filter(long_ago | ~Q(told_address=address))
    return bool(
        untold.filter(reader=reader, source=source).update(told_at=now, told_address=address)
    )


def _context(device: Device) -> str:
    return f"managed-password:{device.pk}"
