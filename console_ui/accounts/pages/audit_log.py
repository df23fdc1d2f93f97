"""``/audit``: what happened in the organisation, filtered and exported."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.chain import first_broken_link
from console_ui.audit.export import pieces
from console_ui.audit.models import Entry
from console_ui.audit.record import Outcome, record

_PAGE_ENTRIES = 50


class FilterForm(forms.Form):
    """Which entries to show; everything is optional."""

    words = forms.CharField(label=_("Who, what or from where"), required=False, max_length=100)
    outcome = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[
            ("", _("Any")),
            (Outcome.DONE.value, _("Done")),
            (Outcome.REFUSED.value, _("Refused")),
            (Outcome.FAILED.value, _("Failed")),
        ],
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}))


@member_page(Role.ADMIN)
def audit_log(request: MemberRequest) -> HttpResponseBase:
    form = FilterForm(request.GET)
    page = Paginator(_chosen(request, form), _PAGE_ENTRIES).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    words = {
        "section": "audit",
        "form": form,
        "page": page,
        "query": query.urlencode(),
        "broken": first_broken_link(request.organisation.pk) if "check" in request.GET else None,
        "checked": "check" in request.GET,
    }
    return render(request, "accounts/audit_log.html", words)


@member_page(Role.ADMIN)
def export(request: MemberRequest) -> HttpResponseBase:
    """JSON lines, oldest first; docs/console.md says how to check the hashes."""
    record("audit.exported", by=actor_of(request), organisation_id=request.organisation.pk)
    return StreamingHttpResponse(
        pieces(_chosen(request, FilterForm(request.GET))),
        content_type="application/jsonl",
        headers={"Content-Disposition": 'attachment; filename="everboot-audit.jsonl"'},
    )


def _chosen(request: MemberRequest, form: FilterForm) -> QuerySet[Entry]:
    entries = Entry.objects.filter(organisation_id=request.organisation.pk)
    if not form.is_valid():
        return entries
    chosen = form.cleaned_data
    if words := chosen["words"]:
        entries = entries.filter(
            Q(action__icontains=words)
            | Q(actor_name__icontains=words)
            | Q(about__icontains=words)
            | Q(address__icontains=words)
        )
    if chosen["outcome"]:
        entries = entries.filter(outcome=chosen["outcome"])
    if chosen["since"]:
        entries = entries.filter(at__date__gte=chosen["since"])
    if chosen["until"]:
        entries = entries.filter(at__date__lt=chosen["until"] + timedelta(days=1))
    return entries
