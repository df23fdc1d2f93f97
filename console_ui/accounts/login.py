"""Logging in, step by step: the password first, then the second factor if there is one.

Between the two the session holds only who has given the right password; it becomes that
person's session, under a new key, at the very end.
"""

from __future__ import annotations

import time
from typing import Literal

from django.contrib.auth import authenticate
from django.contrib.auth import login as django_login
from django.http import HttpRequest

from console_ui.accounts import guesses, throttle, trusted_browsers
from console_ui.accounts.confirmation import confirm
from console_ui.accounts.journal import note
from console_ui.accounts.models import User
from console_ui.accounts.request import actor_of, person
from console_ui.accounts.throttle import Blocked
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import Outcome, record

_PENDING_KEY = "pending_login"
_PENDING_SECONDS = 600
_BACKEND = "console_ui.accounts.backend.PasswordBackend"

Factor = Literal[
    "password", "trusted-browser", "authenticator-app", "recovery-code", "security-key", "passkey"
]


def check_password(request: HttpRequest, typed: str, password: str) -> User | Blocked | None:
    """Who it is; None for a wrong name or password, which nothing tells apart."""
    counters = guesses.at_password(request, typed)
    if blocked := throttle.attempt_all(counters):
        if blocked.is_news:
            _refused(request, typed, "throttled")
        return blocked
    user = authenticate(request, username=typed, password=password)
    if not isinstance(user, User):
        _refused(request, typed, "password")
        return None
    throttle.passed(counters)
    return user


def begin(request: HttpRequest, user: User, *, wish: str) -> bool:
    """After the right password: True when the login is complete, else a factor must follow."""
    if not user.has_second_factor:
        finish(request, user, by="password")
        return True
    if trusted_browsers.is_trusted(request, user):
        finish(request, user, by="trusted-browser")
        return True
    request.session[_PENDING_KEY] = {"user": str(user.pk), "at": time.time(), "next": wish}
    request.session.cycle_key()
    return False


def pending_user(request: HttpRequest) -> User | None:
    """Who has given the right password in this session within ten minutes."""
    pending = request.session.get(_PENDING_KEY)
    if pending is None or time.time() - pending["at"] > _PENDING_SECONDS:
        return None
    return User.objects.filter(pk=pending["user"], is_active=True).first()


def pending_wish(request: HttpRequest) -> str:
    """The page that was asked for before the login."""
    return str(request.session.get(_PENDING_KEY, {}).get("next", ""))


def finish(request: HttpRequest, user: User, *, by: Factor) -> None:
    """Make the session the person's. ``by`` is the last thing they proved themselves with."""
    request.session.pop(_PENDING_KEY, None)
    django_login(request, user, backend=_BACKEND)
    if by != "trusted-browser":
        confirm(request)
    note(request, "login.done", details={"by": by})


def factor_refused(request: HttpRequest, user: User, by: Factor, why: str) -> None:
    """Write a refused second factor down, in the person's organisations."""
    address = visitor_of(request).address
    note(
        request,
        "login.refused",
        by=person(user, address=address),
        outcome=Outcome.REFUSED,
        details={"by": by, "why": why},
    )


def _refused(request: HttpRequest, typed: str, why: str) -> None:
    """Known names in their organisations' logs; unknown ones are not repeated anywhere.

    People type passwords into the wrong field.
    """
    user = User.objects.find(typed)
    if user is None:
        details = {"why": why}
        record("login.refused", by=actor_of(request), outcome=Outcome.REFUSED, details=details)
    else:
        factor_refused(request, user, "password", why)
