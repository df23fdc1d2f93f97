"""``/alerts``: what people should know, and what they want to be told."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.activity.models import Thresholds
from console_ui.alerts.models import Alert, AlertKind, Seen, Wish
from console_ui.alerts.wanted import concerning, shown_to
from console_ui.alerts.words import advice, path, sentence
from console_ui.audit.record import record

_PAGE_ALERTS = 50
_MOST_DAYS, _MOST_PERCENT = 365, 100


@dataclass(frozen=True, slots=True)
class Line:
    """One alert as the page shows it."""

    alert: Alert
    text: str
    advice: str
    path: str
    is_new: bool


@member_page()
def overview(request: MemberRequest) -> HttpResponse:
    found = shown_to(request.membership)
    page = Paginator(found, _PAGE_ALERTS).get_page(request.GET.get("page"))
    seen = Seen.objects.filter(user=request.user, organisation=request.organisation).first()
    words = {
        "section": "alerts",
        "page": page,
        "lines": [
            Line(
                alert,
                sentence(alert),
                advice(alert),
                path(alert),
                is_new=seen is None or alert.raised_at > seen.until,
            )
            for alert in page.object_list
        ],
        "lasting": found.filter(ended_at=None).count(),
    }
    return render(request, "alerts/alerts.html", words)


@require_POST
@member_page()
def mark_seen(request: MemberRequest) -> HttpResponseBase:
    """All of now; those that come later are new again."""
    Seen.objects.update_or_create(
        user=request.user, organisation=request.organisation, defaults={"until": timezone.now()}
    )
    return redirect("alerts")


@member_page()
def settings(request: MemberRequest) -> HttpResponseBase:
    """Everybody's own wishes; administrators also say from when on something is an alert."""
    kinds = concerning(request.membership)
    may_change = request.membership.may(Role.ADMIN)
    if request.method == "POST":
        with transaction.atomic():
            _keep_wishes(request, kinds)
            if may_change:
                _keep_thresholds(request)
        messages.success(request, _("Saved."))
        return redirect("alert-settings")
    wishes = {
        wish.kind: wish
        for wish in Wish.objects.filter(user=request.user, organisation=request.organisation)
    }
    words = {
        "section": "alerts",
        "wishes": [(kind, wishes.get(kind) or Wish(kind=kind)) for kind in kinds],
        "thresholds": Thresholds.of(request.organisation),
        "may_change": may_change,
    }
    return render(request, "alerts/settings.html", words)


def _keep_wishes(request: MemberRequest, kinds: list[AlertKind]) -> None:
    for kind in kinds:
        Wish.objects.update_or_create(
            user=request.user,
            organisation=request.organisation,
            kind=kind,
            defaults={
                "in_console": f"console_{kind.value}" in request.POST,
                "by_mail": f"mail_{kind.value}" in request.POST,
            },
        )


def _keep_thresholds(request: MemberRequest) -> None:
    before = Thresholds.of(request.organisation)
    days = _number(request.POST.get("silent_days", ""), before.silent_days, most=_MOST_DAYS)
    percent = _number(request.POST.get("full_percent", ""), before.full_percent, most=_MOST_PERCENT)
    if (days, percent) == (before.silent_days, before.full_percent):
        return
    Thresholds.objects.update_or_create(
        organisation=request.organisation,
        defaults={"silent_days": days, "full_percent": percent},
    )
    record(
        "alerts.thresholds_changed",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        details={"silent_days": days, "full_percent": percent},
    )


def _number(typed: str, before: int, *, most: int) -> int:
    """What was typed, if it makes sense; browsers refuse the rest before it comes here."""
    return int(typed) if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= most else before
