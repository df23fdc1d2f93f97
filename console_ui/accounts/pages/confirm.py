"""Proving once more that it is you, and going on where you were."""

from __future__ import annotations

import time

from django.contrib.auth.hashers import check_password
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from console_ui.accounts import confirmation, guesses, passkeys, throttle, totp
from console_ui.accounts.access import user_page
from console_ui.accounts.journal import note
from console_ui.accounts.models import User
from console_ui.accounts.request import UserRequest
from console_ui.accounts.verdict_words import verdict_words
from console_ui.accounts.waiting import waiting_words
from console_ui.audit.record import Outcome
from console_ui.web.redirects import next_page

_REFUSED = 403


@user_page
def confirm(request: UserRequest) -> HttpResponseBase:
    """Password, and the second factor where there is one."""
    user = request.user
    errors: dict[str, str] = {}
    if request.method == "POST":
        blocked = throttle.attempt_all(guesses.in_session(request, user))
        errors = {"form": waiting_words(blocked.seconds)} if blocked else _errors(request, user)
        if not errors:
            confirmation.confirm(request)
            return redirect(next_page(request, "account"))
        if blocked is None or blocked.is_news:
            details = {"why": "throttled" if blocked else ", ".join(sorted(errors))}
            note(request, "confirmation.refused", outcome=Outcome.REFUSED, details=details)
    with_key = not hasattr(user, "authenticator_app") and user.security_keys.exists()
    words = {
        "errors": errors,
        "next": next_page(request, "account"),
        "with_app": hasattr(user, "authenticator_app"),
        "options": passkeys.options_for_proving(request, user) if with_key else "",
    }
    return render(request, "accounts/confirm.html", words, status=_REFUSED if errors else 200)


def _errors(request: UserRequest, user: User) -> dict[str, str]:
    """What is wrong, by field; empty when all is proved."""
    if not check_password(request.POST.get("password", ""), user.password):
        return {"password": _("The password is not right.")}
    if hasattr(user, "authenticator_app"):
        verdict = totp.accept(user, request.POST.get("code", ""), now=time.time())
        if not isinstance(verdict, totp.Accepted):
            return {"code": verdict_words(verdict)}
    elif user.security_keys.exists() and not passkeys.prove(
        request, user, answer=request.POST.get("answer", "")
    ):
        return {"form": _("The key did not answer, or it is another account's.")}
    throttle.passed(guesses.in_session(request, user))
    return {}
