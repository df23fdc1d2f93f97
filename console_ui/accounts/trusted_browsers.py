"""Browsers that are not asked for the second factor for 30 days.

The cookie holds a random token, the database its hash. Each account has a cookie of its own
name, so that two people who share a browser do not end each other's trust.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from console_ui.accounts.models import TrustedBrowser, User
from console_ui.accounts.visitor import visitor_of
from console_ui.django_settings import console_settings

LIFE = timedelta(days=30)
_TOKEN_BYTES = 32


def trust(request: HttpRequest, response: HttpResponseBase, user: User) -> TrustedBrowser:
    """From now on this browser is not asked for this user's second factor."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    visitor = visitor_of(request)
    row = TrustedBrowser.objects.create(
        user=user,
        token_hash=_hash(token),
        browser=visitor.browser,
        address=visitor.address,
        expires_at=timezone.now() + LIFE,
    )
    response.set_cookie(
        _cookie_name(user),
        token,
        max_age=int(LIFE.total_seconds()),
        secure=console_settings().is_encrypted,
        httponly=True,
        samesite="Lax",
    )
    return row


def is_trusted(request: HttpRequest, user: User) -> bool:
    """Whether this browser may leave the second factor out for this user."""
    token = request.COOKIES.get(_cookie_name(user))
    if not token:
        return False
    now = timezone.now()
    used = TrustedBrowser.objects.filter(
        user=user, token_hash=_hash(token), expires_at__gt=now
    ).update(used_at=now)
    return used > 0


def current(request: HttpRequest, user: User) -> TrustedBrowser | None:
    """The row of the browser that asks, to mark it in the list."""
    token = request.COOKIES.get(_cookie_name(user), "")
    return TrustedBrowser.objects.filter(user=user, token_hash=_hash(token)).first()


def _cookie_name(user: User) -> str:
    who = hashlib.sha256(str(user.pk).encode()).hexdigest()[:12]
    return f"{settings.EVERBOOT_COOKIE_PREFIX}trust-{who}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
