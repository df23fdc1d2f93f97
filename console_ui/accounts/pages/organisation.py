"""``/organisation``: its name, and whether a second factor is required of everybody."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.members import members_of
from console_ui.accounts.models import Organisation, Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record


@confirmed_page
@member_page(Role.ADMIN)
def security(request: MemberRequest) -> HttpResponseBase:
    """Turning it on bites at the next action of every session, see ``middleware``."""
    organisation = request.organisation
    if request.method == "POST":
        wanted = request.POST.get("require") == "yes"
        if wanted and not request.user.has_second_factor:
            messages.error(request, _("Turn it on for yourself first."))
            return redirect("organisation-security")
        _require(request, organisation, wanted=wanted)
        return redirect("organisation-security")
    words = {
        "section": "people",
        "without": members_of(organisation).filter(has_factor=False),
        "asking": "ask" in request.GET,
        "i_have_one": request.user.has_second_factor,
    }
    return render(request, "accounts/organisation_security.html", words)


def _require(request: MemberRequest, organisation: Organisation, *, wanted: bool) -> None:
    Organisation.objects.filter(pk=organisation.pk).update(requires_second_factor=wanted)
    record(
        "organisation.second_factor_required" if wanted else "organisation.second_factor_optional",
        by=actor_of(request),
        organisation_id=organisation.pk,
        about=organisation.name,
    )
    messages.success(
        request,
        _("Two-factor authentication is required of every member now.")
        if wanted
        else _("Two-factor authentication is everybody's own choice now."),
    )
