"""``/vaults``: what is kept where, how much of it, and bringing it back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backup_agent.errors import EverbootError, UsageError
from backup_agent.services.vault import FileKind
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Organisation, Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.django_settings import console_settings
from console_ui.storage import alarms, bringing_back, console_key, vaults
from console_ui.storage.deletion_runs import deletion_runs, moment_before
from console_ui.storage.deletions import KEPT_FOR
from console_ui.storage.housekeeping import housekeeping
from console_ui.storage.models import Alarm, Location, State, StoredObject, Vault

_GB = 10**9
_POINT = FileKind.SNAPSHOT.value


class VaultForm(forms.Form):
    """A new vault."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    location = forms.ModelChoiceField(
        Location.objects.none(), label=gettext_lazy("Storage location"), empty_label=None
    )
    vault_id = forms.UUIDField(
        label=gettext_lazy("Id of a vault that lies there already"),
        required=False,
        help_text=gettext_lazy("Only after the loss of the console's database."),
    )

    def __init__(self, *args: Any, organisation: Organisation, **options: Any) -> None:
        super().__init__(*args, **options)
        location = self.fields["location"]
        assert isinstance(location, forms.ModelChoiceField)
        location.queryset = Location.objects.of(organisation)


class LimitsForm(forms.Form):
    """Quota and retention of a vault."""

    quota_gb = forms.IntegerField(
        label=gettext_lazy("Quota in GB"),
        required=False,
        min_value=1,
        max_value=1 << 32,
        help_text=gettext_lazy("Empty: no limit. What is deleted does not count."),
    )
    keep_last = forms.IntegerField(label=gettext_lazy("Keep the last"), min_value=0, max_value=9999)
    keep_daily = forms.IntegerField(label=gettext_lazy("Daily"), min_value=0, max_value=9999)
    keep_weekly = forms.IntegerField(label=gettext_lazy("Weekly"), min_value=0, max_value=9999)
    keep_monthly = forms.IntegerField(label=gettext_lazy("Monthly"), min_value=0, max_value=9999)


class MomentForm(forms.Form):
    """The moment to bring a vault back to, in UTC."""

    moment = forms.DateTimeField(
        label=gettext_lazy("Moment (UTC)"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        ),
        input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"],
    )


@member_page()
def overview(request: MemberRequest) -> HttpResponseBase:
    rows = (
        Vault.objects.of(request.organisation)
        .select_related("location")
        .annotate(
            points=Count(
                "stored_objects",
                filter=Q(stored_objects__kind=_POINT, stored_objects__state=State.VISIBLE),
            )
        )
    )
    alarmed = set(
        Alarm.objects.filter(
            vault__organisation=request.organisation, confirmed_at=None
        ).values_list("vault_id", flat=True)
    )
    words = {
        "section": "vaults",
        "vaults": rows,
        "alarmed": alarmed,
        "has_location": Location.objects.of(request.organisation).exists(),
        "may_link": request.membership.may(Role.OPERATOR),
    }
    return render(request, "storage/vaults.html", words)


@confirmed_page
@member_page(Role.ADMIN)
def add(request: MemberRequest) -> HttpResponseBase:
    form = VaultForm(request.POST or None, organisation=request.organisation)
    if request.method == "POST" and form.is_valid():
        given, by = form.cleaned_data, actor_of(request)
        try:
            if given["vault_id"]:
                vault = vaults.take_up(
                    request.organisation,
                    given["location"],
                    given["vault_id"],
                    name=given["name"],
                    by=by,
                )
            else:
                vault = vaults.make(
                    request.organisation, given["location"], name=given["name"], by=by
                )
        except EverbootError as exc:
            form.add_error(None, f"{exc.message} {exc.hint}".strip())
        else:
            return redirect("vault", vault.pk)
    return render(request, "storage/vault_add.html", {"section": "vaults", "form": form})


@member_page()
def vault(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    found = _vault_or_404(request, vault_id)
    words = {
        "section": "vaults",
        "vault": found,
        "alarm": Alarm.objects.filter(vault=found, confirmed_at=None).first(),
        "points": StoredObject.objects.filter(
            vault=found, kind=_POINT, state=State.VISIBLE
        ).count(),
        "deletions": deletion_runs(found),
        "address": f"{console_settings().public_address}/storage/{found.pk}/",
        "is_owner": request.membership.may(Role.OWNER),
        "limits": LimitsForm(initial=_limits_of(found), label_suffix=""),
        "kept_days": KEPT_FOR.days,
    }
    return render(request, "storage/vault.html", words)


@require_POST
@member_page(Role.ADMIN)
def limit(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """Set quota and retention."""
    found = _vault_or_404(request, vault_id)
    form = LimitsForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("These limits make no sense; nothing was changed."))
        return redirect("vault", vault_id)
    given = dict(form.cleaned_data)
    quota = given.pop("quota_gb")
    Vault.objects.filter(pk=found.pk).update(quota_bytes=quota * _GB if quota else None, **given)
    record(
        "vault.limits_changed",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=found.name,
        details={"quota_gb": quota or 0, **given},
    )
    messages.success(request, _("The limits of the vault were changed."))
    return redirect("vault", vault_id)


@confirmed_page
@member_page(Role.ADMIN)
def bring_back(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """First what would happen, then, with ``sure``, the wish."""
    found = _vault_or_404(request, vault_id)
    given = request.POST or request.GET
    is_chosen = "moment" in given
    proposed = None if is_chosen else _proposed_moment(found)
    form = MomentForm(given if is_chosen else None, initial={"moment": proposed})
    plan = None
    now = timezone.now()
    if form.is_bound and form.is_valid():
        try:
            plan = bringing_back.plan(
                found, form.cleaned_data["moment"].replace(tzinfo=UTC), now=now
            )
        except UsageError as exc:
            form.add_error("moment", f"{exc.message} {exc.hint}")
    if plan is not None and request.method == "POST" and request.POST.get("sure") == "yes":
        _bring_back(request, found, plan)
        return redirect("vault", vault_id)
    words = {
        "section": "vaults",
        "vault": found,
        "form": form,
        "plan": plan,
        "earliest": bringing_back.first_whole_second(bringing_back.earliest_moment(found)),
    }
    return render(request, "storage/bring_back.html", words)


@require_POST
@confirmed_page
@member_page(Role.ADMIN)
def confirm_alarm(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """Say that the deletions were meant: purging goes on."""
    found = _vault_or_404(request, vault_id)
    for alarm in Alarm.objects.filter(vault=found, confirmed_at=None):
        alarms.confirm(alarm, request.user, by=actor_of(request), now=timezone.now())
    messages.success(request, _("Confirmed. What was deleted goes 14 days after its deletion."))
    return redirect("vault", vault_id)


@require_POST
@confirmed_page
@member_page(Role.OWNER)
def remove_console_key(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """From now on only people's own passwords open the vault."""
    found = _vault_or_404(request, vault_id)
    if not found.console_key:
        return redirect("vault", vault_id)
    try:
        console_key.give_up(found, by=actor_of(request), now=timezone.now())
    except EverbootError as exc:
        messages.error(request, f"{exc.message} {exc.hint}".strip())
    else:
        messages.success(request, _("The console knows no password of this vault any more."))
    return redirect("vault", vault_id)


def _bring_back(request: MemberRequest, found: Vault, plan: bringing_back.BringBackPlan) -> None:
    if not bringing_back.wish(found, plan):
        messages.warning(request, _("The vault is being brought back already."))
        return
    record(
        "vault.bring_back_begun",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=found.name,
        details={"moment": plan.moment.isoformat()},
    )
    housekeeping.wake()
    messages.success(request, _("The vault is being brought back. Devices can read meanwhile."))


def _vault_or_404(request: MemberRequest, vault_id: uuid.UUID) -> Vault:
    return get_owned_or_404(
        Vault.objects.select_related("location"),
        request.organisation,
        vault_id,
    )


def _proposed_moment(found: Vault) -> datetime | None:
    """Just before the deletions that raised the alarm, or the last ones."""
    alarm = Alarm.objects.filter(vault=found, confirmed_at=None).first()
    return moment_before(deletion_runs(found), alarm.raised_at if alarm else None)


def _limits_of(found: Vault) -> dict[str, int | None]:
    return {
        "quota_gb": found.quota_bytes // _GB if found.quota_bytes else None,
        "keep_last": found.keep_last,
        "keep_daily": found.keep_daily,
        "keep_weekly": found.keep_weekly,
        "keep_monthly": found.keep_monthly,
    }
