"""Slowing down guesses, counted in the database so that neither a restart nor a second
process forgets.

An attempt is counted *before* its secret is looked at: guesses that run side by side cannot
slip through together. Nobody is locked out for good: a block ends by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from console_ui.accounts.models import ThrottleRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``free`` attempts in a ``window``, then a wait; each one more doubles it up to ``longest``.

    Who has waited may try once more. After the window all is forgotten.
    """

    name: str
    free: int
    window: timedelta
    first_wait: timedelta
    longest: timedelta


_MINUTE = timedelta(minutes=1)

LOGIN = Rule(
    name="login",
    free=5,
    window=60 * _MINUTE,
    first_wait=timedelta(seconds=2),
    longest=15 * _MINUTE,
)
# From everywhere: high and with a short wait, or strangers could keep somebody out.
LOGIN_ACCOUNT = Rule(
    name="login-account",
    free=100,
    window=60 * _MINUTE,
    first_wait=timedelta(seconds=10),
    longest=_MINUTE,
)
# Success does not clear this one: an own account must not buy guesses at others.
ADDRESS = Rule(
    name="address", free=60, window=15 * _MINUTE, first_wait=_MINUTE, longest=15 * _MINUTE
)
SECOND_FACTOR = Rule(
    name="second-factor",
    free=5,
    window=15 * _MINUTE,
    first_wait=15 * _MINUTE,
    longest=15 * _MINUTE,
)
MAIL = Rule(name="mail", free=3, window=60 * _MINUTE, first_wait=15 * _MINUTE, longest=60 * _MINUTE)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Try again after this many seconds."""

    seconds: int


def attempt(rule: Rule, subject: str) -> Blocked | None:
    """Count one attempt; None when it may go on."""
    now = timezone.now()
    with transaction.atomic():
        row = _locked_row(rule, subject, now)
        if row.blocked_until is not None and row.blocked_until > now:
            return _blocked(row.blocked_until, now)
        if row.window_ends_at <= now:
            row.attempts, row.window_ends_at = 0, now + rule.window
        row.attempts += 1
        excess = row.attempts - rule.free
        if excess >= 0:
            # 2 ** 20 of the shortest wait is longer than any longest: no need for huge numbers.
            row.blocked_until = now + min(rule.first_wait * 2 ** min(excess, 20), rule.longest)
            row.window_ends_at = max(row.window_ends_at, row.blocked_until)
        row.save()
    return None


def succeeded(rule: Rule, subject: str) -> None:
    """The subject proved who they are: forget their failures."""
    ThrottleRow.objects.filter(key=_key(rule, subject)).delete()


def forget_old() -> None:
    """Drop rows whose windows are over; called when the console starts."""
    ThrottleRow.objects.filter(window_ends_at__lt=timezone.now()).delete()


def _locked_row(rule: Rule, subject: str, now: datetime) -> ThrottleRow:
    key = _key(rule, subject)
    while True:
        found = ThrottleRow.objects.select_for_update().filter(key=key).first()
        if found is not None:
            return found
        # Whoever inserts a row holds it. One that was there to be looked up may be gone, by a
        # success or by its age, before it is locked; so then it is made anew.
        with contextlib.suppress(IntegrityError), transaction.atomic():
            return ThrottleRow.objects.create(key=key, window_ends_at=now + rule.window)


def _key(rule: Rule, subject: str) -> str:
    return hashlib.sha256(f"{rule.name}\0{subject.strip().lower()}".encode()).hexdigest()


def _blocked(until: datetime, now: datetime) -> Blocked:
    return Blocked(seconds=max(1, int((until - now).total_seconds() + 0.999)))
