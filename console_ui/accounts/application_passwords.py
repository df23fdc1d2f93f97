"""Passwords for programs: restic, scripts, whatever cannot type a second factor.

They open the API, or in the storage gateway what they were made for, never the web login. The
account's own password opens both to programs, until two-factor authentication is on.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console_ui.accounts import guesses, proved_passwords, throttle
from console_ui.accounts.journal import note_by
from console_ui.accounts.login_id import ALPHABET
from console_ui.accounts.models import (
    ApplicationPassword,
    Membership,
    Organisation,
    Reach,
    Role,
    Scope,
    User,
)
from console_ui.accounts.request import person
from console_ui.accounts.throttle import Blocked
from console_ui.audit.actor import Actor, ActorKind
from console_ui.audit.record import Outcome, record

_GROUPS, _GROUP_CHARACTERS = 6, 5  # 30 characters, 150 bits
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a program acts for. ``application_password`` is None for the account's own.

    ``reaches`` are the ids of devices and vaults whose storage it may open; None for all of the
    organisation's.
    """

    user: User
    organisation: Organisation
    role: Role
    scopes: frozenset[Scope]
    application_password: ApplicationPassword | None
    reaches: frozenset[uuid.UUID] | None


@dataclass(frozen=True, slots=True)
class EnrolmentRequired:
    """The password is right, but its owner must set up a second factor first."""


Verdict: TypeAlias = Principal | EnrolmentRequired | Blocked | None


@transaction.atomic
def make(
    user: User,
    organisation: Organisation,
    *,
    name: str,
    scopes: Collection[Scope],
    reaches: Collection[uuid.UUID] = (),
    expires_at: datetime | None = None,
) -> tuple[ApplicationPassword, str]:
    """The row, and the password: it can be shown now and never again.

    ``reaches`` are devices and vaults: without any, it opens no storage.
    """
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(_GROUP_CHARACTERS)) for _ in range(_GROUPS)
    )
    password = "-".join(groups)
    row = ApplicationPassword.objects.create(
        user=user,
        organisation=organisation,
        name=name,
        secret_hash=_hash(password),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    Reach.objects.bulk_create(Reach(password=row, target_id=each) for each in set(reaches))
    return row, password


def revoke(passwords: Collection[ApplicationPassword]) -> None:
    """They open nothing from the next request on."""
    ids = [password.pk for password in passwords]
    ApplicationPassword.objects.filter(pk__in=ids, revoked_at=None).update(
        revoked_at=timezone.now()
    )


def revoke_of_member(user: User, organisation: Organisation) -> None:
    """Who leaves takes nothing along, and finds nothing again after a new invitation."""
    revoke(ApplicationPassword.objects.filter(user=user, organisation=organisation))


@transaction.atomic
def close(target_id: uuid.UUID) -> int:
    """Nothing opens this device's (or vault's) storage any more. What opened only that is revoked:
    returns how many.
    """
    reaching = ApplicationPassword.objects.filter(reaches__target_id=target_id, revoked_at=None)
    ids = list(reaching.values_list("pk", flat=True))
    Reach.objects.filter(target_id=target_id).delete()
    idle = list(ApplicationPassword.objects.filter(pk__in=ids, reaches=None))
    revoke(idle)
    return len(idle)


def authenticate_program(
    login: str,
    password: str,
    *,
    scope: Scope,
    address: str,
    organisation_id: uuid.UUID | None = None,
) -> Verdict:
    """HTTP Basic: an application password, or the account's own where no second factor is.

    None when it is wrong, revoked, expired or not for ``scope``. Who has lost the membership or
    the account has lost its application passwords, too. ``login`` is for the caller to compare
    with an application password's owner: it may name something else, too. The account's own
    password acts in ``organisation_id``, or else in the oldest membership. Wrong passwords
    under this name from ``address`` are slowed down, and one an hour is in the audit log.
    """
    if not login or not password:
        return None
    verdict = _judge(login, password, scope, address=address, organisation_id=organisation_id)
    if verdict is None:
        _note_refused(login, address, organisation_id)
    return verdict


def _judge(
    login: str, password: str, scope: Scope, *, address: str, organisation_id: uuid.UUID | None
) -> Verdict:
    row = _find(password)
    membership = _membership(row) if row else None
    if row is None or membership is None:
        return _by_account_password(
            login, password, address=address, organisation_id=organisation_id
        )
    scopes = frozenset(Scope(name) for name in row.scopes)
    if not _covers(scopes, scope):
        return None
    if _must_enrol(row.user):
        return EnrolmentRequired()
    now = timezone.now()
    if row.used_at is None or row.used_at < now - _USE_NOTED_EVERY:
        # Programs come with every request: writing each one down would be a write for each.
        ApplicationPassword.objects.filter(pk=row.pk).update(used_at=now)
    reaches = frozenset(row.reaches.values_list("target_id", flat=True))
    return Principal(row.user, row.organisation, Role(membership.role), scopes, row, reaches)


def _find(password: str) -> ApplicationPassword | None:
    return (
        ApplicationPassword.objects.select_related("user", "organisation")
        .filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)
        .filter(secret_hash=_hash(password), user__is_active=True)
        .first()
    )


def _membership(row: ApplicationPassword) -> Membership | None:
    return Membership.objects.filter(user=row.user, organisation=row.organisation).first()


def _must_enrol(user: User) -> bool:
    return user.must_have_second_factor and not user.has_second_factor


def _by_account_password(
    login: str, password: str, *, address: str, organisation_id: uuid.UUID | None
) -> Verdict:
    user = _proved(login, password, address)
    if not isinstance(user, User):
        return user
    if user.has_second_factor:
        return None
    found = user.memberships.select_related("organisation").order_by("joined_at")
    if organisation_id is not None:
        found = found.filter(organisation=organisation_id)
    if (membership := found.first()) is None:
        return None
    if _must_enrol(user):
        return EnrolmentRequired()
    # What a person may do, a program with their password may.
    return Principal(
        user, membership.organisation, Role(membership.role), frozenset(Scope), None, None
    )


def _proved(login: str, password: str, address: str) -> User | Blocked | None:
    """Whose account's password it is. One count and one slow hash for every name: neither tells
    which accounts there are.
    """
    known = User.objects.find(login)
    if known is not None and known.is_active and proved_passwords.is_proved(known, password):
        return known
    counters = guesses.by_program(login, address)
    if blocked := throttle.attempt_all(counters):
        if blocked.is_news:
            _note_of(known, address, "throttled")
        return blocked
    user = authenticate(username=login, password=password)
    if not isinstance(user, User):
        return None
    if not user.has_second_factor:
        # Who has one is refused all the same, and must not learn that the password is right.
        throttle.passed(counters)
        proved_passwords.remember(user, password)
    return user


def _note_refused(login: str, address: str, organisation_id: uuid.UUID | None) -> None:
    """The first in an hour of a known name, or of any unknown ones, from an address.

    A name that nobody has is not repeated, and stands in the log of whose vault was asked for.
    """
    user = User.objects.find(login)
    whose = str(user.pk) if user else f"unknown {organisation_id}"
    if not throttle.is_news("program", f"{whose} {throttle.source_of(address)}"):
        return
    if user is not None:
        _note_of(user, address, "password")
    else:
        record(
            "program.refused",
            by=Actor(kind=ActorKind.UNKNOWN, address=address),
            organisation_id=organisation_id,
            outcome=Outcome.REFUSED,
            details={"why": "password"},
        )


def _note_of(user: User | None, address: str, why: str) -> None:
    unknown = Actor(kind=ActorKind.UNKNOWN, address=address)
    note_by(
        person(user, address=address) if user else unknown,
        "program.refused",
        outcome=Outcome.REFUSED,
        details={"why": why},
    )


def _covers(granted: frozenset[Scope], wanted: Scope) -> bool:
    """Who may write backups may read them."""
    if wanted == Scope.STORAGE_READ and Scope.STORAGE in granted:
        return True
    return wanted in granted


def _hash(password: str) -> str:
    bare = password.replace("-", "").replace(" ", "").upper()
    return hashlib.sha256(bare.encode()).hexdigest()
