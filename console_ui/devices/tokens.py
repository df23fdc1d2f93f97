"""Access tokens: ten minutes each, known to the database, so that removal works at once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from console_ui.devices.models import AccessToken, Device

LIFE = timedelta(minutes=10)
_TOKEN_BYTES = 32
_SEEN_NOTED_EVERY = timedelta(minutes=1)


def issue(device: Device, *, now: datetime) -> str:
    """A fresh token. Those whose time is over are forgotten."""
    AccessToken.objects.filter(device=device, expires_at__lte=now).delete()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    AccessToken.objects.create(token_hash=_hash(token), device=device, expires_at=now + LIFE)
    return token


def authenticate(token: str, *, address: str) -> Device | None:
    """Whose token it is, if the device is still linked.

    Asks the database every time: who is removed is out with the next request.
    ``address`` is where the request comes from, for the list of devices.
    """
    now = timezone.now()
    device = find(token, now=now)
    if device is not None:
        note_seen(device, address=address, now=now)
    return device


def find(token: str, *, now: datetime) -> Device | None:
    """The same; that it was there is not noted."""
    try:
        found = AccessToken.objects.select_related("device__organisation").get(pk=_hash(token))
    except AccessToken.DoesNotExist:
        return None
    is_good = found.expires_at > now and found.device.is_linked(now)
    return found.device if is_good else None


def revoke_all(device: Device) -> None:
    """Its tokens open nothing from the next request on."""
    AccessToken.objects.filter(device=device).delete()


def note_seen(device: Device, *, address: str, now: datetime) -> None:
    """At most once a minute: a backup sends hundreds of requests."""
    if device.seen_at is None or device.seen_at < now - _SEEN_NOTED_EVERY:
        Device.objects.filter(pk=device.pk).update(seen_at=now, seen_address=address)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
