"""What a device may do with a vault: the question that the gateway asks at every request."""

from __future__ import annotations

import uuid
from datetime import timedelta
from enum import Enum

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console_ui.audit.record import record
from console_ui.devices.linking import actor_of
from console_ui.devices.models import Device, ReadGrant

_NOTED_AGAIN_AFTER = timedelta(days=1)


class Right(Enum):
    """``OWN``: add and hide. ``READ``: read, and make and delete locks. ``NONE``: a 404."""

    OWN = "own"
    READ = "read"
    NONE = "none"


def right_on(device: Device, source_id: uuid.UUID | None) -> Right:
    """What ``device`` may do with the vault of the device ``source_id``, at this moment.

    None stands for a vault that belongs to no device.
    """
    if source_id is None:
        return Right.NONE
    if source_id == device.pk:
        return Right.OWN if device.backs_up else Right.NONE
    return Right.READ if source_id in readable_sources(device) else Right.NONE


def note_read(reader: Device, source_id: uuid.UUID, *, about: str, address: str) -> None:
    """Write down that ``reader`` reads what ``source_id`` has backed up: once a day, because a
    restore asks thousands of times.
    """
    now = timezone.now()
    unnoted = ReadGrant.objects.filter(reader=reader, source=source_id).filter(
        Q(read_noted_at=None) | Q(read_noted_at__lte=now - _NOTED_AGAIN_AFTER)
    )
    # Looked at first: even an UPDATE of nothing would wait for those who write.
    if not unnoted.exists():
        return
    with transaction.atomic():
        if unnoted.update(read_noted_at=now):
            record(
                "vault.read",
                by=actor_of(reader, address=address),
                organisation_id=reader.organisation_id,
                about=about,
            )


def readable_sources(device: Device) -> set[uuid.UUID]:
    """The devices whose vaults this one may read now, apart from its own.

    A removed device's vault stays readable: that is what one restores after a theft.
    """
    grants = ReadGrant.objects.filter(
        reader=device, expires_at__gt=timezone.now(), source__organisation=device.organisation_id
    )
    return set(grants.values_list("source_id", flat=True))
