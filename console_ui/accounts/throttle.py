"""Slowing down guesses, counted in the database so that neither a restart nor a second
process forgets.

An attempt is counted *before* its secret is looked at: guesses that run side by side cannot
slip through together. Nobody is locked out for good: a block ends by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address

from django.db import IntegrityError, transaction
from django.utils import timezone

from console_ui.accounts.models import ThrottleRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``free`` attempts in a ``window``, then a wait; each one more doubles it up to ``longest``.

    Who has waited may try once more. After the window all is forgotten. With ``by_address``, what
    is counted are network addresses, see ``source_of``.
    """

    name: str
    free: int
    window: timedelta
    first_wait: timedelta
    longest: timedelta
    by_address: bool = False


_MINUTE = timedelta(minutes=1)
# The smallest network that is given to a customer (RFC 6177).
_IPV6_PREFIX = 64

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
LOGIN_ADDRESS = Rule(
    name="login-address",
    free=60,
    window=15 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
    by_address=True,
)
FORGOTTEN_ADDRESS = Rule(
    name="forgotten-address",
    free=60,
    window=15 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
    by_address=True,
)
# Programs try again for as long as they run: what one of them uses up is nobody else's.
PROGRAM = Rule(
    name="program",
    free=60,
    window=15 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
)
PROGRAM_ADDRESS = Rule(
    name="program-address",
    free=600,
    window=15 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
    by_address=True,
)
# The account's own password, which people choose; application passwords are beyond guessing.
PROGRAM_ACCOUNT = Rule(
    name="program-account",
    free=100,
    window=60 * _MINUTE,
    first_wait=timedelta(seconds=10),
    longest=_MINUTE,
)
# Each begins a session in the database, before anybody has proved anything.
PASSKEY_BEGUN = Rule(
    name="passkey-begun",
    free=60,
    window=15 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
    by_address=True,
)
SECOND_FACTOR = Rule(
    name="second-factor",
    free=5,
    window=15 * _MINUTE,
    first_wait=15 * _MINUTE,
    longest=15 * _MINUTE,
)
# From everywhere, by somebody who has the password. Three of a million codes are good at a time:
# 130 guesses a day find one with a chance of 1 in 2500.
SECOND_FACTOR_ACCOUNT = Rule(
    name="second-factor-account",
    free=30,
    window=24 * 60 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
)
# No limit: which of the refusals is written down, so that a log does not grow with the guesses.
REFUSAL_NOTED = Rule(
    name="refusal-noted",
    free=1,
    window=60 * _MINUTE,
    first_wait=60 * _MINUTE,
    longest=60 * _MINUTE,
)
MAIL = Rule(name="mail", free=3, window=60 * _MINUTE, first_wait=15 * _MINUTE, longest=60 * _MINUTE)


@dataclass(frozen=True, slots=True)
class Counter:
    """One rule's count of one subject's attempts."""

    rule: Rule
    subject: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Try again after this many seconds. Only the first whom a block turns away ``is_news``: what
    is written down about blocks must not grow with the attempts.
    """

    seconds: int
    is_news: bool = False


def attempt(rule: Rule, subject: str) -> Blocked | None:
    """Count one attempt; None when it may go on."""
    now = timezone.now()
    with transaction.atomic():
        row = _locked_row(rule, subject, now)
        if row.blocked_until is not None and row.blocked_until > now:
            return _blocked(row, row.blocked_until, now)
        if row.window_ends_at <= now:
            row.attempts, row.window_ends_at = 0, now + rule.window
        row.attempts += 1
        excess = row.attempts - rule.free
        if excess >= 0:
            # 2 ** 20 of the shortest wait is longer than any longest: no need for huge numbers.
            row.blocked_until = now + min(rule.first_wait * 2 ** min(excess, 20), rule.longest)
            row.window_ends_at = max(row.window_ends_at, row.blocked_until)
            row.is_told = False
        row.save()
    return None


def attempt_all(counters: Sequence[Counter]) -> Blocked | None:
    """Count one attempt at each counter, the narrowest first; None when it may go on.

    Where one is full, those after it are spared: who is turned away as a single program or
    person does not use up what belongs to many.
    """
    for counter in counters:
        if blocked := attempt(counter.rule, counter.subject):
            return blocked
    return None


def passed(counters: Sequence[Counter]) -> None:
    """What ``attempt_all`` let through was right: the narrowest counter forgets all failures, the
    others this one attempt. An account of one's own so buys no guesses at others.
    """
    succeeded(counters[0].rule, counters[0].subject)
    for counter in counters[1:]:
        _take_back(counter)


def succeeded(rule: Rule, subject: str) -> None:
    """The subject proved who they are: forget their failures."""
    ThrottleRow.objects.filter(key=_key(rule, subject)).delete()


def is_news(kind: str, subject: str) -> bool:
    """Whether the refusal is the first of its kind in an hour, of this subject."""
    return attempt(REFUSAL_NOTED, f"{kind} {subject}") is None


def source_of(address: str) -> str:
    """Whom an address stands for: who has IPv6 has 2 to the power of 64 addresses and more."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), _IPV6_PREFIX), strict=False))


def forget_old() -> None:
    """Drop rows whose windows are over."""
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


def _take_back(counter: Counter) -> None:
    key = _key(counter.rule, counter.subject)
    with transaction.atomic():
        row = ThrottleRow.objects.select_for_update().filter(key=key, attempts__gt=0).first()
        if row is None:
            return
        row.attempts -= 1
        if row.attempts < counter.rule.free:
            row.blocked_until = None
        row.save()


def _key(rule: Rule, subject: str) -> str:
    if rule.by_address:
        subject = source_of(subject)
    return hashlib.sha256(f"{rule.name}\0{subject.strip().lower()}".encode()).hexdigest()


def _blocked(row: ThrottleRow, until: datetime, now: datetime) -> Blocked:
    is_news = not row.is_told
    if is_news:
        row.is_told = True
        row.save(update_fields=["is_told"])
    return Blocked(max(1, int((until - now).total_seconds() + 0.999)), is_news)
