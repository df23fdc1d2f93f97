"""The ten recovery codes: shown until one is typed back, then never again."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts import recovery_codes, shown_once
from console_ui.accounts.access import user_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note
from console_ui.accounts.notices import security_change
from console_ui.accounts.request import UserRequest
from console_ui.accounts.visitor import visitor_of

NAME = "recovery_codes"
_ASKED_KEY = "recovery_code_asked_for"
_REFUSED = 403


@user_page
def show(request: UserRequest) -> HttpResponseBase:
    codes = _codes(request)
    if codes is None:
        if request.user.kept_recovery_codes_at is None and request.user.has_second_factor:
            # They were shown in another session, and none was typed back.
            return render(request, "accounts/recovery_codes_lost.html", {"section": "account"})
        return redirect("second-factor")
    number = int(request.session.setdefault(_ASKED_KEY, 1 + secrets.randbelow(len(codes))))
    error = ""
    if request.method == "POST":
        if recovery_codes.keep(request.user, number, request.POST.get("code", "")):
            return _kept(request)
        error = _("That is not code number %(number)d.") % {"number": number}
    words = {"section": "account", "codes": codes, "number": number, "error": error}
    return render(request, "accounts/recovery_codes.html", words, status=_REFUSED if error else 200)


@user_page
def download(request: UserRequest) -> HttpResponseBase:
    codes = _codes(request)
    if codes is None:
        return redirect("second-factor")
    title = _("Everboot recovery codes of %(login)s. Each works once.") % {
        "login": request.user.login_id
    }
    lines = [title, "", *(f"{number:2} {code}" for number, code in enumerate(codes, start=1))]
    return HttpResponse(
        "\r\n".join([*lines, ""]),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="everboot-recovery-codes.txt"'},
    )


@require_POST
@confirmed_page
def renew(request: UserRequest) -> HttpResponseBase:
    if not request.user.has_second_factor:
        return redirect("second-factor")
    with transaction.atomic():
        codes = recovery_codes.renew(request.user)
        note(request, "recovery_codes.renewed")
        security_change(request.user, _("New recovery codes were made."), visitor_of(request))
    shown_once.keep(request, NAME, list(codes))
    request.session.pop(_ASKED_KEY, None)
    return redirect("recovery-codes")


def _codes(request: UserRequest) -> list[str] | None:
    """Those to show; a list that was made anew in another session is worthless, and goes."""
    codes = shown_once.look(request, NAME)
    if codes is not None and not recovery_codes.are_of(request.user, codes):
        _forget(request)
        return None
    return codes


def _forget(request: UserRequest) -> None:
    shown_once.forget(request, NAME)
    request.session.pop(_ASKED_KEY, None)


def _kept(request: UserRequest) -> HttpResponseBase:
    _forget(request)
    messages.success(request, _("Two-factor authentication is on."))
    return redirect("second-factor")
