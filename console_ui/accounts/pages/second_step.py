"""The second step of a login: a code, a security key, or a recovery code."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from console_ui.accounts import (
    guesses,
    known_browsers,
    login,
    passkeys,
    recovery_codes,
    throttle,
    totp,
    trusted_browsers,
)
from console_ui.accounts.guesses import Proof
from console_ui.accounts.journal import note
from console_ui.accounts.models import User
from console_ui.accounts.notices import security_change
from console_ui.accounts.throttle import Blocked
from console_ui.accounts.verdict_words import verdict_words
from console_ui.accounts.visitor import visitor_of
from console_ui.accounts.waiting import waiting_words

_Step = Callable[[HttpRequest, User], HttpResponseBase]

REFUSED, THROTTLED = 403, 429


def _pending(step: _Step) -> Callable[[HttpRequest], HttpResponseBase]:
    """A page for whoever has just given the right password, and for nobody else."""

    @wraps(step)
    def checked(request: HttpRequest) -> HttpResponseBase:
        user = login.pending_user(request)
        return redirect("login") if user is None else step(request, user)

    return checked


@_pending
def code(request: HttpRequest, user: User) -> HttpResponseBase:
    if not hasattr(user, "authenticator_app"):
        return redirect("login-key")
    error, status = "", 200
    if request.method == "POST":
        if blocked := _too_many(request, user, "authenticator-app"):
            error, status = waiting_words(blocked.seconds), THROTTLED
        else:
            verdict = totp.accept(user, request.POST.get("code", ""), now=time.time())
            if isinstance(verdict, totp.Accepted):
                return _done(request, user, by="authenticator-app")
            error, status = verdict_words(verdict), REFUSED
            login.factor_refused(request, user, "authenticator-app", type(verdict).__name__)
    words = {
        "person": user,
        "error": error,
        "trusted_until": timezone.now() + trusted_browsers.LIFE,
        "trust": request.POST.get("trust"),
        "resetting": "reset" in request.GET,
    }
    return render(request, "accounts/login_code.html", words, status=status)


@_pending
def key(request: HttpRequest, user: User) -> HttpResponseBase:
    if not user.security_keys.exists():
        return redirect("login-other")
    error, status = "", 200
    if request.method == "POST":
        if blocked := _too_many(request, user, "security-key"):
            error, status = waiting_words(blocked.seconds), THROTTLED
        elif passkeys.prove(request, user, answer=request.POST.get("answer", "")):
            return _done(request, user, by="security-key")
        else:
            error, status = _("The key did not answer, or it is another account's."), REFUSED
            login.factor_refused(request, user, "security-key", "answer")
    words = {
        "person": user,
        "error": error,
        "options": passkeys.options_for_proving(request, user),
        "trusted_until": timezone.now() + trusted_browsers.LIFE,
        "resetting": "reset" in request.GET,
    }
    return render(request, "accounts/login_key.html", words, status=status)


@_pending
def recovery(request: HttpRequest, user: User) -> HttpResponseBase:
    error, status = "", 200
    if request.method == "POST":
        if blocked := _too_many(request, user, "recovery-code"):
            error, status = waiting_words(blocked.seconds), THROTTLED
        elif _use_code(request, user):
            return _done(request, user, by="recovery-code")
        else:
            error, status = _("This is none of your unused recovery codes."), REFUSED
            login.factor_refused(request, user, "recovery-code", "wrong")
    words = {"person": user, "error": error}
    return render(request, "accounts/login_recovery.html", words, status=status)


@transaction.atomic
def _use_code(request: HttpRequest, user: User) -> bool:
    """Whether the typed code was good. It is used up, and its owner told, or neither."""
    number = recovery_codes.use(user, request.POST.get("code", ""))
    if number is None:
        return False
    what = _("Recovery code number %(number)d was used to log in.") % {"number": number}
    security_change(user, what, visitor_of(request))
    return True


@_pending
def other(request: HttpRequest, user: User) -> HttpResponseBase:
    """All ways there are for this person."""
    words = {
        "person": user,
        "has_app": hasattr(user, "authenticator_app"),
        "has_key": user.security_keys.exists(),
        "codes_left": recovery_codes.left(user),
    }
    return render(request, "accounts/login_other.html", words)


def _too_many(request: HttpRequest, user: User, by: Proof) -> Blocked | None:
    """Whether to wait first."""
    blocked = throttle.attempt_all(guesses.at_second_factor(request, user, by))
    if blocked is not None and blocked.is_news:
        login.factor_refused(request, user, by, "throttled")
    return blocked


def _done(request: HttpRequest, user: User, *, by: Proof) -> HttpResponseBase:
    throttle.passed(guesses.at_second_factor(request, user, by))
    wish = login.pending_wish(request) or "devices"
    login.finish(request, user, by=by)
    # At a reset, the old app stays good until the new one has proved itself.
    response = redirect("authenticator-app" if "reset" in request.GET else wish)
    known_browsers.remember(request, response, user)
    if "reset" not in request.GET and request.POST.get("trust"):
        _trust(request, response, user)
    return response


@transaction.atomic
def _trust(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    row = trusted_browsers.trust(request, response, user)
    note(request, "browser.trusted", about=row.browser)
    what = _("This browser is trusted for %(days)d days: %(browser)s.")
    days = trusted_browsers.LIFE // timedelta(days=1)
    security_change(user, what % {"days": days, "browser": row.browser or "-"}, visitor_of(request))
