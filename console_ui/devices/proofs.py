"""Judging what a device has signed (see ``backup_agent.services.link.assertion``)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from backup_agent.errors import LinkError
from backup_agent.services.link.assertion import PublicKey, open_assertion
from console_ui.devices.models import UsedAssertion

_LONGEST_LIFE = timedelta(minutes=2)
# Devices take the time from our answers, so this is for the way there and back.
_TOLERATED_SKEW = timedelta(minutes=1)


def holds(assertion: str, *, key: PublicKey, audiences: Collection[str], now: datetime) -> bool:
    """Whether the owner of the key has made this statement, for us, just now, and never before.

    It is used up by the question, in one INSERT: of two that come at once, one counts.
    """
    try:
        claims = open_assertion(assertion, key)
        begins = datetime.fromtimestamp(claims.issued_at, UTC)
        ends = datetime.fromtimestamp(claims.expires_at, UTC)
    except (LinkError, OverflowError, OSError, ValueError):
        return False
    in_time = begins - _TOLERATED_SKEW <= now < ends + _TOLERATED_SKEW
    if claims.audience not in audiences or not in_time or ends - begins > _LONGEST_LIFE:
        return False
    return _use_up(claims.client_id, claims.id, until=ends + _TOLERATED_SKEW)


def forget_old(now: datetime) -> None:
    """Proofs that are too old to be accepted need not be remembered."""
    UsedAssertion.objects.filter(expires_at__lte=now).delete()


def _use_up(client_id: str, assertion_id: str, *, until: datetime) -> bool:
    key = hashlib.sha256(f"{client_id}\0{assertion_id}".encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(key=key, expires_at=until)
    except IntegrityError:
        return False
    return True
