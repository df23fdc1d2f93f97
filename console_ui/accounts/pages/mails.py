"""``/mails``: what never arrived. Somebody may wait for it, an alarm perhaps."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.notices import undelivered
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.web import mail


@member_page(Role.ADMIN)
def mails(request: MemberRequest) -> HttpResponseBase:
    words = {"section": "people", "mails": undelivered(request.organisation)}
    return render(request, "accounts/mails.html", words)


@require_POST
@member_page(Role.ADMIN)
def try_again(request: MemberRequest) -> HttpResponseBase:
    record(
        "mails.tried_again",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=request.organisation.name,
    )
    mail.try_again(undelivered(request.organisation))
    messages.success(request, _("The mails are on their way again."))
    return redirect("mails")
