"""Linking an authenticator app: scan, type a code, then keep the recovery codes."""

from __future__ import annotations

import base64
import io
import time

import segno
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from console_ui.accounts import guesses, recovery_codes, shown_once, throttle, totp
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note
from console_ui.accounts.models import TrustedBrowser
from console_ui.accounts.notices import security_change
from console_ui.accounts.pages.recovery import NAME as CODES
from console_ui.accounts.request import UserRequest
from console_ui.accounts.totp import Accepted, Seed
from console_ui.accounts.verdict_words import verdict_words
from console_ui.accounts.visitor import visitor_of
from console_ui.accounts.waiting import waiting_words

_NAME = "authenticator_seed"
_REFUSED = 403


@confirmed_page
def link(request: UserRequest) -> HttpResponseBase:
    """The seed lives in the session, sealed, until the app has shown that it has it."""
    seed = _seed(request)
    error = ""
    if request.method == "POST":
        error = _try(request, seed)
        if not error:
            return redirect("recovery-codes" if _codes_are_new(request) else "second-factor")
    words = {
        "section": "account",
        "replaces": hasattr(request.user, "authenticator_app"),
        "required_by": request.user.must_have_second_factor,
        "qr": _qr(totp.enrolment_address(seed, account=request.user.email, issuer="Everboot")),
        "secret": totp.secret_text(seed),
        "error": error,
    }
    return render(
        request, "accounts/authenticator_app.html", words, status=_REFUSED if error else 200
    )


def _seed(request: UserRequest) -> Seed:
    kept = shown_once.look(request, _NAME)
    if kept is not None:
        return Seed(base64.b64decode(kept[0]))
    seed = totp.new_seed()
    shown_once.keep(request, _NAME, [base64.b64encode(seed).decode()])
    return seed


def _try(request: UserRequest, seed: Seed) -> str:
    """Link the app if the code is its own; what is wrong otherwise."""
    user = request.user
    if blocked := throttle.attempt_all(guesses.in_session(request, user)):
        return waiting_words(blocked.seconds)
    verdict = totp.judge(seed, request.POST.get("code", ""), now=time.time(), last_step=0)
    if not isinstance(verdict, Accepted):
        return verdict_words(verdict)
    throttle.passed(guesses.in_session(request, user))
    with transaction.atomic():
        # Never a factor without its mail, nor a mail without its factor.
        _link(request, seed, first_step=verdict.step)
    request.session.cycle_key()
    return ""


def _link(request: UserRequest, seed: Seed, *, first_step: int) -> None:
    user = request.user
    had_factor = user.has_second_factor
    totp.link(user, seed, first_step=first_step)
    shown_once.forget(request, _NAME)
    TrustedBrowser.objects.filter(user=user).delete()
    if not had_factor or user.kept_recovery_codes_at is None:
        shown_once.keep(request, CODES, list(recovery_codes.renew(user)))
    note(request, "second_factor.added", details={"factor": "app"})
    security_change(user, _("An authenticator app was linked."), visitor_of(request))


def _codes_are_new(request: UserRequest) -> bool:
    return shown_once.look(request, CODES) is not None


def _qr(text: str) -> SafeString:
    """An SVG without a single style, as the content policy demands. Black on white, always."""
    drawing = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawing,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=0,
        svgclass=None,
        lineclass=None,
        dark="#000",
    )
    return mark_safe(drawing.getvalue().decode())  # noqa: S308 (drawn by segno, not by users)
