"""Passwords for programs: restic, scripts, whatever cannot type a second factor.

They open the API and the storage gateway, never the web login. With two-factor
authentication on, the account's own password opens neither.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db.models import Q
from django.utils import timezone

from console_ui.accounts import throttle
from console_ui.accounts.login_id import ALPHABET
from console_ui.accounts.models import (
    ApplicationPassword,
    Membership,
    Organisation,
    Role,
    Scope,
    User,
)
from console_ui.accounts.throttle import Blocked

_GROUPS, _GROUP_CHARACTERS = 6, 5  # 30 characters, 150 bits
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a program acts for. ``application_password`` is None for the account's own."""

    user: User
    organisation: Organisation
    role: Role
    scopes: frozenset[Scope]
    application_password: ApplicationPassword | None


def make(
    user: User,
    organisation: Organisation,
    *,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None = None,
) -> tuple[ApplicationPassword, str]:
    """The row, and the password: it can be shown now and never again."""
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
    return row, password


def revoke(passwords: Collection[ApplicationPassword]) -> None:
    """They open nothing from the next request on."""
    ids = [password.pk for password in passwords]
    ApplicationPassword.objects.filter(pk__in=ids, revoked_at=None).update(
        revoked_at=timezone.now()
    )


def authenticate_application_password(
    password: str, *, scope: Scope, address: str
) -> Principal | Blocked | None:
    """Who it belongs to; None when it is wrong, revoked, expired or not for ``scope``.

    Who has lost the membership or the account has lost its application passwords, too.
    ``address`` is where the request comes from: wrong guesses from there are slowed down.
    """
    now = timezone.now()
    row = (
        ApplicationPassword.objects.select_related("user", "organisation")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
        .filter(secret_hash=_hash(password), user__is_active=True)
        .first()
    )
    membership = _membership(row) if row else None
    if row is None or membership is None:
        return throttle.attempt(throttle.ADDRESS, address)
    scopes = frozenset(Scope(name) for name in row.scopes)
    if not _covers(scopes, scope):
        return None
    if row.used_at is None or row.used_at < now - _USE_NOTED_EVERY:
        # Programs come with every request: writing each one down would be a write for each.
        ApplicationPassword.objects.filter(pk=row.pk).update(used_at=now)
    return Principal(row.user, row.organisation, Role(membership.role), scopes, row)


def authenticate_program(
    login: str, password: str, *, scope: Scope, address: str
) -> Principal | Blocked | None:
    """HTTP Basic: an application password, or the account's own where no second factor is.

    ``login`` is e-mail address or login ID. The account's own password acts in the oldest
    membership.
    """
    user = User.objects.find(login)
    found = authenticate_application_password(password, scope=scope, address=address)
    match found:
        case Principal():
            return found if user == found.user else None
        case Blocked():
            return found
        case None:
            return _by_account_password(user, password, scope=scope)


def _membership(row: ApplicationPassword) -> Membership | None:
    return Membership.objects.filter(user=row.user, organisation=row.organisation).first()


def _by_account_password(
    user: User | None, password: str, *, scope: Scope
) -> Principal | Blocked | None:
    if user is None or not user.is_active or user.has_second_factor:
        return None
    if user.must_have_second_factor:
        return None
    if blocked := throttle.attempt(throttle.LOGIN_ACCOUNT, user.email):
        return blocked
    membership = user.memberships.select_related("organisation").order_by("joined_at").first()
    if membership is None or not check_password(password, user.password):
        return None
    throttle.succeeded(throttle.LOGIN_ACCOUNT, user.email)
    return Principal(user, membership.organisation, Role(membership.role), frozenset({scope}), None)


def _covers(granted: frozenset[Scope], wanted: Scope) -> bool:
    """Who may write backups may read them."""
    if wanted == Scope.STORAGE_READ and Scope.STORAGE in granted:
        return True
    return wanted in granted


def _hash(password: str) -> str:
    bare = password.replace("-", "").replace(" ", "").upper()
    return hashlib.sha256(bare.encode()).hexdigest()
