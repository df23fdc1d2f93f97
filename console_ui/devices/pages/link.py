"""``/link``: somebody types the code that a device shows, looks at what asks, and answers.

Which request is meant stands in the session: only where its code was typed can it be answered.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from console_ui.accounts import throttle
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.accounts.visitor import visitor_of
from console_ui.accounts.waiting import waiting_words
from console_ui.audit.record import Outcome, record
from console_ui.devices import limits, linking
from console_ui.devices.models import Device, Kind, LinkRequest

_KEY = "link_request"
_REFUSED = 403


@require_safe
def fragment_door(request: HttpRequest) -> HttpResponse:
    """``/ui/#w=agentRegistration``, which rescue media show: a script leads on to ``/link``."""
    return render(request, "devices/door.html")


@member_page(Role.OPERATOR)
def enter_code(request: MemberRequest) -> HttpResponseBase:
    if request.method != "POST":
        return render(request, "devices/link.html", {"section": "devices"})
    typed = request.POST.get("code", "")
    error = _too_fast(request)
    if not error:
        found = linking.find(typed, request.organisation, now=timezone.now())
        if found is not None:
            request.session[_KEY] = str(found.pk)
            return redirect("link-answer")
        if throttle.is_news("device-code", str(request.user.pk)):
            _note_refused(request, "code")
        error = _("No device waits with this code. It may be mistyped, or older than 10 minutes.")
    words = {"section": "devices", "error": error, "typed": typed}
    return render(request, "devices/link.html", words, status=_REFUSED)


@confirmed_page
@member_page(Role.OPERATOR)
def answer(request: MemberRequest) -> HttpResponseBase:
    """What asks, and the two buttons."""
    found = _typed_request(request)
    if found is None:
        messages.warning(request, _("The code has run out, or somebody has answered already."))
        return redirect("link")
    if request.method != "POST":
        return render(request, "devices/link_answer.html", _words(request, found))
    request.session.pop(_KEY, None)
    if "approve" in request.POST:
        return _approve(request, found)
    now, actor = timezone.now(), actor_of(request)
    if linking.refuse(found, request.organisation, by=request.user, actor=actor, now=now):
        messages.success(request, _("%(name)s was refused.") % {"name": found.name})
    return redirect("devices")


def _approve(request: MemberRequest, found: LinkRequest) -> HttpResponseBase:
    kind = Kind.BACKUP if request.POST.get("kind") == Kind.BACKUP else Kind.RESTORE
    approved = linking.approve(
        found,
        request.organisation,
        by=request.user,
        actor=actor_of(request),
        kind=kind,
        sources=_chosen_sources(request),
        now=timezone.now(),
    )
    if not approved:
        messages.warning(request, _("The code has run out, or somebody has answered already."))
        return redirect("link")
    messages.success(
        request,
        _("%(name)s may go on. It appears here as soon as it has noticed.") % {"name": found.name},
    )
    return redirect("devices")


def _chosen_sources(request: MemberRequest) -> list[Device]:
    """Those ticked, as far as they are this organisation's."""
    ids = [each for each in request.POST.getlist("source") if _is_id(each)]
    return list(_sources(request).filter(pk__in=ids))


def _words(request: MemberRequest, found: LinkRequest) -> dict[str, object]:
    now = timezone.now()
    return {
        "section": "devices",
        "found": found,
        "seconds": int((now - found.made_at).total_seconds()),
        "minutes_left": found.minutes_left(now),
        "same_address": found.address == visitor_of(request).address,
        "sources": _sources(request),
        "has_location": request.organisation.location_set.exists(),
    }


def _sources(request: MemberRequest) -> QuerySet[Device]:
    return Device.objects.of(request.organisation).filter(kind=Kind.BACKUP).order_by("name")


def _typed_request(request: MemberRequest) -> LinkRequest | None:
    typed = request.session.get(_KEY, "")
    if not _is_id(typed):
        return None
    return linking.waiting(request.organisation, now=timezone.now()).filter(pk=typed).first()


def _too_fast(request: MemberRequest) -> str:
    """Every code counts, also a right one; both counters see every attempt."""
    counters = (
        throttle.attempt(limits.CODE_ENTRY, str(request.user.pk)),
        throttle.attempt(limits.CODE_ENTRY_ADDRESS, visitor_of(request).address),
    )
    if any(blocked.is_news for blocked in counters if blocked):
        _note_refused(request, "throttled")
    seconds = max((blocked.seconds for blocked in counters if blocked), default=0)
    return waiting_words(seconds) if seconds else ""


def _note_refused(request: MemberRequest, why: str) -> None:
    record(
        "device_code.refused",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        outcome=Outcome.REFUSED,
        details={"why": why},
    )


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
