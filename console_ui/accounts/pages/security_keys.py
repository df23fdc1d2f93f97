"""Adding a security key or a passkey."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from console_ui.accounts import passkeys, recovery_codes, shown_once
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note
from console_ui.accounts.notices import security_change
from console_ui.accounts.pages.recovery import NAME as CODES
from console_ui.accounts.request import UserRequest
from console_ui.accounts.visitor import visitor_of

_REFUSED = 403


@confirmed_page
def add(request: UserRequest) -> HttpResponseBase:
    user, error = request.user, ""
    if request.method == "POST":
        had_factor = user.has_second_factor
        with transaction.atomic():
            # Never a factor without its mail, nor a mail without its factor.
            what = _add(request, had_factor=had_factor)
        if what:
            request.session.cycle_key()
            messages.success(request, what)
            return redirect("second-factor" if had_factor else "recovery-codes")
        error = _("The key did not answer, or it is known already. Nothing was changed.")
    words = {
        "section": "account",
        "options": passkeys.options_for_adding(request, user),
        "error": error,
    }
    return render(
        request, "accounts/security_key_add.html", words, status=_REFUSED if error else 200
    )


def _add(request: UserRequest, *, had_factor: bool) -> str:
    """What was done, in a sentence; nothing where the key was not taken."""
    user = request.user
    name = request.POST.get("name", "").strip()[:60] or _("Security key")
    key = passkeys.add(request, user, name=name, answer=request.POST.get("answer", ""))
    if key is None:
        return ""
    if not had_factor or user.kept_recovery_codes_at is None:
        shown_once.keep(request, CODES, list(recovery_codes.renew(user)))
    note(request, "second_factor.added", details={"factor": key.name})
    what = _("A security key was added: %(name)s.") % {"name": key.name}
    security_change(user, what, visitor_of(request))
    return what
