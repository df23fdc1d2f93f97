"""The last 14 days of a device as a row of bars, one for each day."""

from __future__ import annotations

import math
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.activity.models import Outcome, Run
from console_ui.web.quantities import bytes_in_words

DAYS = 14
_HEIGHT, _WIDTH, _STEP, _LEAST = 28, 6, 8, 3
_GOOD = (Outcome.DONE, Outcome.INCOMPLETE)


@dataclass(slots=True)
class Day:
    """What a device did on one day, in UTC."""

    date: date
    runs: int = 0
    saved: int = 0
    incomplete: int = 0
    failed: int = 0
    added: int = 0

    @property
    def tone(self) -> str:
        """A class of the design kit's bars: failed, with omissions, nothing, or plain."""
        if not self.runs:
            return "none"
        if not self.saved:
            return "failed"
        return "warn" if self.incomplete else "plain"


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a day is drawn; all in the picture's own units."""

    x: int
    y: int
    height: int
    tone: str


@dataclass(frozen=True, slots=True)
class History:
    """Oldest day first."""

    days: list[Day] = field(default_factory=list)

    @property
    def bars(self) -> list[Bar]:
        """Heights grow with the root of the bytes: a first backup is a thousand times the next."""
        top = max((_magnitude(day.added) for day in self.days), default=0.0) or 1.0
        return [self._bar(number, day, top) for number, day in enumerate(self.days)]

    @property
    def width(self) -> int:
        return _STEP * DAYS - (_STEP - _WIDTH)

    @property
    def height(self) -> int:
        return _HEIGHT

    @property
    def in_words(self) -> str:
        saved = sum(day.saved for day in self.days)
        told = ngettext("14 days: %(n)s backup", "14 days: %(n)s backups", saved) % {"n": saved}
        if failed := sum(day.failed for day in self.days):
            told += ngettext(", %(n)s failed", ", %(n)s failed", failed) % {"n": failed}
        added = sum(day.added for day in self.days)
        return told + _(", %(bytes)s new") % {"bytes": bytes_in_words(added)}

    def _bar(self, number: int, day: Day, top: float) -> Bar:
        if not day.runs:
            return Bar(number * _STEP, _HEIGHT - 1, 1, day.tone)
        height = max(_LEAST, round(_HEIGHT * _magnitude(day.added) / top))
        return Bar(number * _STEP, _HEIGHT - height, height, day.tone)


def histories(devices: Collection[uuid.UUID], *, now: datetime) -> dict[uuid.UUID, History]:
    """One for each device: one query for any number."""
    first = now.date() - timedelta(days=DAYS - 1)
    made: dict[uuid.UUID, History] = {}
    for device in devices:
        made[device] = _empty(first)
    found = Run.objects.filter(device_id__in=devices, started_at__date__gte=first).exclude(
        outcome=Outcome.RUNNING
    )
    told = found.values_list("device_id", "started_at", "outcome", "bytes_added").order_by()
    for device_id, started_at, outcome, added in told.iterator():
        number = (started_at.date() - first).days
        if 0 <= number < DAYS:
            _count(made[device_id].days[number], outcome, added)
    return made


def _empty(first: date) -> History:
    return History([Day(first + timedelta(days=number)) for number in range(DAYS)])


def _count(day: Day, outcome: str, added: int) -> None:
    day.runs += 1
    day.saved += outcome in _GOOD
    day.incomplete += outcome == Outcome.INCOMPLETE
    day.failed += outcome in (Outcome.FAILED, Outcome.BROKEN_OFF)
    day.added += added


def _magnitude(count: int) -> float:
    return math.sqrt(count)
