"""``/devices``: all of them at a glance, and one of them closely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.activity import commands
from console_ui.activity.glance import Judged, judge_one, judged_devices
from console_ui.activity.history import History, histories
from console_ui.activity.models import Command, CommandKind, CommandState, Run, Thresholds
from console_ui.activity.progress import ProgressWords, progress_words
from console_ui.activity.sheets import vaults_without_sheet
from console_ui.activity.state import JudgedPlan, State
from console_ui.activity.words import (
    StateWords,
    plan_troubles,
    state_words,
    trouble,
    words_of,
)
from console_ui.devices import linking
from console_ui.devices.models import Device
from console_ui.storage.models import Vault

_PAGE_DEVICES = 50
_SHOWN_RUNS = 50
_NAMED_TROUBLES = 3
_LONGEST_SEARCH = 100

_NOTHING = (State.NOTHING_YET, State.NO_PLAN, State.RESTORES)
_TABS: Mapping[str, Callable[[Judged], bool]] = {
    "": lambda _row: True,
    "attention": lambda row: row.needs_attention,
    "protected": lambda row: row.judgement.settled is State.PROTECTED,
    "nothing": lambda row: row.judgement.settled in _NOTHING,
}
_ICONS: Mapping[str, str] = {"laptop": "laptop", "notebook": "laptop", "server": "server"}


@dataclass(frozen=True, slots=True)
class Row:
    """One device as the page shows it."""

    judged: Judged
    state: StateWords
    progress: ProgressWords | None
    vault: Vault | None = None
    history: History | None = None
    is_asked: bool = False

    @property
    def device(self) -> Device:
        return self.judged.device

    @property
    def is_running(self) -> bool:
        return self.judged.judgement.is_running

    @property
    def last(self) -> Run | None:
        """The last that left a restore point."""
        return self.judged.report.last_saved if self.judged.report else None

    @property
    def attempt(self) -> Run | None:
        """The last of all, where it left none."""
        ended = self.judged.report.last_ended if self.judged.report else None
        return ended if ended is not None and not ended.has_saved else None

    @property
    def next_run_at(self) -> datetime | None:
        return self.judged.report.next_run_at if self.judged.report else None

    @property
    def troubles(self) -> list[StateWords]:
        return plan_troubles(self.judged)

    @property
    def plans(self) -> list[tuple[JudgedPlan, StateWords]]:
        judged = self.judged.judgement.plans
        return [(each, words_of(each.state)) for each in judged if each.plan]

    @property
    def icon(self) -> str:
        """A picture of what the device most likely is: it does not say."""
        told = f"{self.device.name} {self.device.system}".casefold()
        return next((icon for word, icon in _ICONS.items() if word in told), "monitor")


def row_of(judged: Judged, *, is_asked: bool = False) -> Row:
    """The part of a row that changes while somebody looks."""
    report = judged.report
    running = report.running if report and judged.judgement.is_running else None
    progress = progress_words(running) if running else None
    return Row(judged, state_words(judged), progress, is_asked=is_asked)


@member_page()
def overview(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    everything = judged_devices(request.organisation, now=now)
    tab = request.GET.get("state", "")
    sought = request.GET.get("words", "").strip()[:_LONGEST_SEARCH]
    shown = [row for row in everything if _TABS.get(tab, _TABS[""])(row) and _fits(row, sought)]
    shown.sort(key=lambda row: (not row.needs_attention, row.device.name.casefold()))
    page = Paginator(shown, _PAGE_DEVICES).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    words = {
        "section": "devices",
        "rows": _rows(list(page.object_list)),
        "page": page,
        "query": query.urlencode(),
        "tab": tab,
        "sought": sought,
        "counts": {name or "all": sum(map(fits, everything)) for name, fits in _TABS.items()},
        "count": len(everything),
        "troubles": _troubles(everything),
        "silent_days": Thresholds.of(request.organisation).silent_days,
        "rendered_at": now.isoformat(),
        "waiting": linking.waiting(request.organisation, now=now)
        .filter(organisation=request.organisation)
        .order_by("made_at"),
        "without_sheet": (
            vaults_without_sheet(request.organisation) if request.membership.may(Role.OWNER) else []
        ),
        "may_change": request.membership.may(Role.OPERATOR),
        "has_location": request.organisation.location_set.exists(),
    }
    return render(request, "activity/devices.html", words)


@member_page()
def one(request: MemberRequest, device_id: str) -> HttpResponse:
    """Its history, its plans and its last runs, with all that they left out."""
    now = timezone.now()
    device = get_owned_or_404(Device.objects.all(), request.organisation, device_id)
    if not Device.objects.linked(now).filter(pk=device.pk).exists():
        return _removed(request, device)
    words = {
        "section": "devices",
        "row": _rows([judge_one(device, now=now)])[0],
        "device": device,
        "runs": Run.objects.filter(device=device)[:_SHOWN_RUNS],
        "commands": Command.objects.filter(device=device).select_related("asked_by")[:5],
        "rendered_at": now.isoformat(),
        "may_change": request.membership.may(Role.OPERATOR),
    }
    return render(request, "activity/device.html", words)


def _removed(request: MemberRequest, device: Device) -> HttpResponse:
    """Mails about it are older than its end, and lead here."""
    words = {
        "section": "devices",
        "device": device,
        "may_restore": request.membership.may(Role.OPERATOR),
    }
    return render(request, "activity/removed.html", words)


@require_POST
@member_page(Role.OPERATOR)
def ask(request: MemberRequest, device_id: str) -> HttpResponseBase:
    """What the buttons "Back up now" and "Stop" do."""
    now = timezone.now()
    device = get_owned_or_404(Device.objects.linked(now), request.organisation, device_id)
    kind = CommandKind.STOP if request.POST.get("kind") == "stop" else CommandKind.BACK_UP
    commands.ask(device, kind, by=actor_of(request), user=request.user, now=now)
    told = (
        _("%(name)s is asked to stop. It does so within seconds, if it is switched on.")
        if kind is CommandKind.STOP
        else _("%(name)s is asked to back up. It begins within seconds, if it is switched on.")
    )
    messages.success(request, told % {"name": device.name})
    back = request.POST.get("back", "")
    return redirect("device", device.pk) if back == "device" else redirect("devices")


def _rows(page: list[Judged]) -> list[Row]:
    """With what only this page shows: a handful of queries for any number."""
    now = timezone.now()
    ids = [judged.device.pk for judged in page]
    vaults = {vault.device_id: vault for vault in Vault.objects.filter(device_id__in=ids)}
    asked = set(
        Command.objects.filter(
            device_id__in=ids, state=CommandState.WAITING, expires_at__gt=now
        ).values_list("device_id", flat=True)
    )
    past = histories(ids, now=now)
    return [
        Row(
            judged,
            state_words(judged),
            row_of(judged).progress,
            vaults.get(judged.device.pk),
            past[judged.device.pk],
            judged.device.pk in asked,
        )
        for judged in page
    ]


def _fits(judged: Judged, sought: str) -> bool:
    """By what people remember of a device: its name, its system, who linked it."""
    device = judged.device
    person = f"{device.linked_by.name} {device.linked_by.email}" if device.linked_by else ""
    return sought.casefold() in f"{device.name} {device.system} {person}".casefold()


def _troubles(everything: list[Judged]) -> list[str]:
    """The first few, named."""
    in_trouble = [judged for judged in everything if judged.needs_attention]
    return [trouble(judged) for judged in in_trouble[:_NAMED_TROUBLES]]
