"""The recovery sheet: what opens a vault when this console is gone, on one page of paper."""

from __future__ import annotations

import uuid

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.devices.managed_passwords import kept_for
from console_ui.django_settings import console_settings
from console_ui.restore.pages.visit import visit
from console_ui.restore.sheet_commands import sheet_commands
from console_ui.restore.stock_restic import repository_address, variables


@confirmed_page
@member_page(Role.OWNER)
def recovery_sheet(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """First what it is; the password is shown to who asks for it by the form."""
    found = visit(request, vault_id)
    is_shown = request.method == "POST"
    kept = kept_for(found.device) if found.device else None
    location = found.vault.location
    words = {
        **found.words,
        "is_shown": is_shown,
        "printed_at": timezone.now(),
        "is_managed": kept is not None,
        "location": location,
        "repository": repository_address(found.vault),
        "variables": variables(location),
        "commands": sheet_commands(found.vault, console_settings(), login=request.user.email),
    }
    if is_shown:
        words["password"] = kept or ""
        record(
            "recovery_sheet.shown",
            by=actor_of(request),
            organisation_id=found.vault.organisation_id,
            about=found.name,
            details={
                "vault": str(found.vault.pk),
                "with_password": kept is not None,
                "key": found.vault.console_key,
            },
        )
    return render(request, "restore/recovery_sheet.html", words)
