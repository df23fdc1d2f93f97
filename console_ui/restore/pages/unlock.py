"""Unlocking: with the password that the console keeps, or with one that is typed."""

from __future__ import annotations

import uuid

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from backup_agent.errors import EverbootError
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest
from console_ui.accounts.waiting import waiting_words
from console_ui.devices.managed_passwords import kept_for
from console_ui.restore import unlocking
from console_ui.restore.pages.visit import Visit, visit
from console_ui.unlocked.starting import UnfitPasswordError
from console_ui.web.redirects import next_page

_REFUSED = 403


@confirmed_page
@member_page(Role.OPERATOR)
def unlock(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """What is in a vault is shown only to who has just proved who they are."""
    found = visit(request, vault_id)
    wish = next_page(request, f"/vaults/{vault_id}/restore")
    if unlocking.is_open(request, found.vault):
        # Whatever was typed: a second key would not open it any further, and a wrong one closes
        # nothing.
        return redirect(wish)
    kept = kept_for(found.device) if found.device else None
    error = ""
    if request.method == "POST":
        # A typed one comes first: the kept one may be of a key that is gone.
        typed = request.POST.get("password", "")
        error = _unlock(request, found, typed or kept or "", by="typed" if typed else "kept")
        if not error:
            return redirect(wish)
    words = {
        **found.words,
        "is_managed": kept is not None,
        "asks": kept is None or bool(error),
        "error": error,
        "next": wish,
        "idle_minutes": int(unlocking.IDLE.total_seconds()) // 60,
    }
    return render(request, "restore/unlock.html", words, status=_REFUSED if error else 200)


def _unlock(request: MemberRequest, found: Visit, password: str, *, by: str) -> str:
    """What went wrong, in words; empty when the vault is open."""
    if not password:
        return _("Type the encryption password.")
    try:
        blocked = unlocking.unlock(request, found.vault, password, by=by)
    except UnfitPasswordError:
        if by == "kept":
            return _("The password that the console keeps opens this vault no longer. Type yours.")
        return _("This password does not open the vault. Nothing was changed.")
    except EverbootError as exc:
        return f"{exc.message} {exc.hint}".strip()
    return waiting_words(blocked.seconds) if blocked else ""
