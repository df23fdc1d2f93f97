"""Links that work once: first set-up, invitations, new passwords, new e-mail addresses.

The secret stands behind ``#`` in the link. Browsers keep that part to themselves, so it
reaches no log, no proxy and no ``Referer``; the page's script puts it into a form.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from console_ui.accounts.models import Organisation, Purpose, Role, SecretLink, User
from console_ui.django_settings import console_settings

_TOKEN_BYTES = 32
_LIVES = {
    Purpose.SET_UP: timedelta(days=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.NEW_PASSWORD: timedelta(hours=1),
    Purpose.NEW_EMAIL: timedelta(hours=24),
}
_PAGES = {
    Purpose.SET_UP: "set-up",
    Purpose.INVITATION: "invitation",
    Purpose.NEW_PASSWORD: "new-password",
    Purpose.NEW_EMAIL: "new-email",
}


def make(
    purpose: Purpose,
    *,
    email: str = "",
    user: User | None = None,
    organisation: Organisation | None = None,
    role: Role | None = None,
) -> str:
    """A fresh link. What was sent before for the same purpose, to the same, works no more."""
    SecretLink.objects.filter(
        purpose=purpose, email=email, user=user, organisation=organisation, used_at=None
    ).delete()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    SecretLink.objects.create(
        purpose=purpose,
        token_hash=_hash(token),
        email=email,
        user=user,
        organisation=organisation,
        role=role or "",
        expires_at=timezone.now() + _LIVES[purpose],
    )
    return f"{console_settings().public_address}{reverse(_PAGES[purpose])}#{token}"


def is_any_open(purpose: Purpose) -> bool:
    """Whether somebody may come with such a link."""
    return SecretLink.objects.filter(
        purpose=purpose, used_at=None, expires_at__gt=timezone.now()
    ).exists()


def find(purpose: Purpose, token: str) -> SecretLink | None:
    """The link with this token, if it still works; it goes on working."""
    return (
        SecretLink.objects.select_related("user", "organisation")
        .filter(
            purpose=purpose,
            token_hash=_hash(token.strip()),
            used_at=None,
            expires_at__gt=timezone.now(),
        )
        .first()
    )


def find_spent(purpose: Purpose, token: str) -> SecretLink | None:
    """The link with this token that was used, or has expired."""
    links = SecretLink.objects.filter(purpose=purpose, token_hash=_hash(token.strip()))
    return links.filter(Q(expires_at__lte=timezone.now()) | ~Q(used_at=None)).first()


def use_up(link: SecretLink) -> bool:
    """Whether the caller is the one who may use the link; nobody is after that."""
    used = SecretLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
    return used > 0


def withdraw_of(user: User) -> None:
    """No mail that lies about changes the way into this account any more."""
    mailed = (Purpose.NEW_PASSWORD, Purpose.NEW_EMAIL)
    SecretLink.objects.filter(user=user, purpose__in=mailed, used_at=None).delete()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
