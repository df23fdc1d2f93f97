"""``/media``: a code to write down, which leads rescue media to this organisation."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.devices import media_codes


@member_page(Role.OPERATOR)
def media(request: MemberRequest) -> HttpResponseBase:
    """The code stands in the answer to the form, and nowhere else, ever."""
    words = {"section": "devices", "code": "", "days": media_codes.LIFE.days}
    if request.method == "POST":
        words["code"] = media_codes.make(request.organisation, by=request.user, now=timezone.now())
        actor = actor_of(request)
        record("media_code.made", by=actor, organisation_id=request.organisation.pk)
    return render(request, "media/code.html", words)
