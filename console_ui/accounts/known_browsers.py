"""Browsers in which somebody has logged in before: they have counters of their own.

Strangers who guess at an account, from wherever, or behind the same address, use up what is
counted for strangers. Whoever comes with this cookie is none, and so is not kept waiting by
them. It grants nothing else: password and factor are asked as ever.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from console_ui.accounts.models import User
from console_ui.django_settings import console_settings

_LIFE = timedelta(days=400)  # No browser keeps a cookie for longer.
_SALT = "known-browser"
_NAME_BYTES = 16


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """The user has proved themselves fully in this browser."""
    name = name_of(request, user) or secrets.token_urlsafe(_NAME_BYTES)
    response.set_cookie(
        _cookie_name(user),
        signing.dumps([str(user.pk), name], salt=_SALT),
        max_age=int(_LIFE.total_seconds()),
        secure=console_settings().is_encrypted,
        httponly=True,
        samesite="Lax",
    )


def name_of(request: HttpRequest, user: User) -> str | None:
    """A random name of this browser; None where the user has never logged in with it."""
    cookie = request.COOKIES.get(_cookie_name(user), "")
    try:
        owner, name = signing.loads(cookie, salt=_SALT, max_age=_LIFE)
    except signing.BadSignature:
        return None
    return str(name) if owner == str(user.pk) else None


def _cookie_name(user: User) -> str:
    who = hashlib.sha256(str(user.pk).encode()).hexdigest()[:12]
    return f"{settings.EVERBOOT_COOKIE_PREFIX}known-{who}"
