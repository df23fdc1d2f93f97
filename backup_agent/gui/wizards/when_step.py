"""When a plan runs, and on what conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from enum import Enum
from typing import assert_never

from PySide6.QtCore import QTime
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QTimeEdit,
    QWidget,
)

from backup_agent.agent.conditions import Conditions
from backup_agent.agent.schedule import (
    Daily,
    EveryHours,
    Monthly,
    OnRequest,
    Schedule,
    Weekday,
    Weekly,
)
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import card
from backup_agent.gui.sentences import short_day
from backup_agent.gui.wizards.draft import Draft
from backup_agent.gui.wizards.step import Proceed, Refuse, Step
from backup_agent.qtkit.controls import label
from backup_agent.qtkit.language import locale, tr

_IDLE_MINUTES = 10


class _Often(Enum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    HOURLY = "hourly"
    ASKED = "asked"


class WhenStep(Step):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, tr("When"), tr("When to back up"))
        frame, inside = card()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        inside.addLayout(form)
        self._form = form
        self._often = QComboBox()
        self._often.setObjectName("how often")
        self._often.setAccessibleName(tr("How often"))
        for often, name in (
            (_Often.DAILY, tr("Every day")),
            (_Often.WEEKLY, tr("On some days of the week")),
            (_Often.MONTHLY, tr("Once a month")),
            (_Often.HOURLY, tr("Every few hours")),
            (_Often.ASKED, tr("Only when asked")),
        ):
            self._often.addItem(name, often.value)
        self._often.currentIndexChanged.connect(self._follow)
        self._at = QTimeEdit()
        self._at.setObjectName("at")
        self._at.setAccessibleName(tr("At"))
        self._at.setDisplayFormat("HH:mm")
        self._days = self._day_boxes()
        self._day = self._number("day", tr("On day"), 1, 31)
        self._hours = self._number("hours", tr("Hours between"), 1, 24 * 7)
        for says, widget in (
            (tr("How often"), self._often),
            (tr("Days"), self._days),
            (tr("On day"), self._day),
            (tr("Hours between"), self._hours),
            (tr("At"), self._at),
        ):
            form.addRow(label(says, "strong"), widget)
        inside.addWidget(
            label(
                tr("What was missed while the computer was off is caught up."),
                "secondary",
                wraps=True,
            )
        )
        self.inside.addWidget(frame)
        self.inside.addWidget(self._occasions())
        self.inside.addStretch(1)
        self._at.timeChanged.connect(self.changed)

    def _number(self, name: str, says: str, least: int, most: int) -> QSpinBox:
        box = QSpinBox()
        box.setObjectName(name)
        box.setAccessibleName(says)
        box.setRange(least, most)
        box.valueChanged.connect(self.changed)
        return box

    def _day_boxes(self) -> QWidget:
        holder = QWidget()
        across = QHBoxLayout(holder)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(4)
        self._day_box: dict[Weekday, QCheckBox] = {}
        for day in Weekday:
            box = QCheckBox(short_day(day))
            box.setObjectName(f"day {int(day)}")
            box.setAccessibleName(locale().dayName(day + 1))
            box.toggled.connect(self.changed)
            across.addWidget(box)
            self._day_box[day] = box
        across.addStretch(1)
        return holder

    def _occasions(self) -> QWidget:
        frame, inside = card(tr("And besides"))
        self._on_start = QCheckBox(tr("&When the computer starts"))
        self._on_plug = QCheckBox(tr("When its &disk is plugged in, at most once a day"))
        self._battery = QCheckBox(tr("Not while on batter&y"))
        self._metered = QCheckBox(tr("Not on a &metered network"))
        self._idle = QCheckBox(tr("Only when nobody is work&ing"))
        for name, box in (
            ("on start", self._on_start),
            ("on plug", self._on_plug),
            ("not on battery", self._battery),
            ("not on metered", self._metered),
            ("only when idle", self._idle),
        ):
            box.setObjectName(name)
            box.toggled.connect(self.changed)
            inside.addWidget(box)
        return frame

    # Draft

    def show_draft(self, draft: Draft) -> None:
        plan = draft.plan
        often = _often_of(plan.schedule)
        self._often.setCurrentIndex(self._often.findData(often.value))
        at = getattr(plan.schedule, "at", time(18))
        self._at.setTime(QTime(at.hour, at.minute))
        match plan.schedule:
            case Weekly(days=days):
                for day, box in self._day_box.items():
                    box.setChecked(day in days)
            case Monthly(day=number):
                self._day.setValue(number)
            case EveryHours(hours=hours):
                self._hours.setValue(hours)
            case Daily() | OnRequest():
                self._hours.setValue(4)
                for day in list(Weekday)[:5]:
                    self._day_box[day].setChecked(True)
            case _:
                assert_never(plan.schedule)
        self._on_start.setChecked(plan.on_start)
        self._on_plug.setChecked(plan.on_plug)
        self._battery.setChecked(plan.conditions.not_on_battery)
        self._metered.setChecked(plan.conditions.not_on_metered)
        self._idle.setChecked(plan.conditions.idle_minutes > 0)
        self._follow()

    def filled(self, draft: Draft) -> Draft:
        plan = draft.plan
        idle = plan.conditions.idle_minutes or _IDLE_MINUTES
        conditions = Conditions(
            not_on_battery=self._battery.isChecked(),
            not_on_metered=self._metered.isChecked(),
            idle_minutes=idle if self._idle.isChecked() else 0,
        )
        return replace(
            draft,
            plan=replace(
                plan,
                schedule=self._schedule(plan.schedule),
                on_start=self._on_start.isChecked(),
                on_plug=self._on_plug.isChecked(),
                conditions=conditions,
            ),
        )

    def check(self, draft: Draft, proceed: Proceed, refuse: Refuse) -> None:
        if self._chosen is _Often.WEEKLY and not self._chosen_days():
            refuse(tr("No day is chosen."), tr("Choose at least one."))
            return
        proceed(draft)

    def focus_likely(self) -> None:
        self._often.setFocus()

    @property
    def _chosen(self) -> _Often:
        return _Often(self._often.currentData())

    def _chosen_days(self) -> frozenset[Weekday]:
        return frozenset(day for day, box in self._day_box.items() if box.isChecked())

    def _schedule(self, before: Schedule) -> Schedule:
        at = time(self._at.time().hour(), self._at.time().minute())
        match self._chosen:
            case _Often.DAILY:
                return Daily(at=at)
            case _Often.WEEKLY:
                days = self._chosen_days()
                return Weekly(days=days, at=at) if days else OnRequest()
            case _Often.MONTHLY:
                return Monthly(day=self._day.value(), at=at)
            case _Often.HOURLY:
                if isinstance(before, EveryHours):
                    # Days and hours of the day, which only the command line can set, stay.
                    return EveryHours(
                        hours=self._hours.value(),
                        days=before.days,
                        begin=before.begin,
                        end=before.end,
                    )
                return EveryHours(hours=self._hours.value())
            case _Often.ASKED:
                return OnRequest()
            case _:
                assert_never(self._chosen)

    def _follow(self) -> None:
        often = self._chosen
        for widget, wanted in (
            (self._at, often in (_Often.DAILY, _Often.WEEKLY, _Often.MONTHLY)),
            (self._days, often is _Often.WEEKLY),
            (self._day, often is _Often.MONTHLY),
            (self._hours, often is _Often.HOURLY),
        ):
            self._form.setRowVisible(widget, wanted)
        self.changed.emit()


def _often_of(schedule: Schedule) -> _Often:
    match schedule:
        case Daily():
            return _Often.DAILY
        case Weekly():
            return _Often.WEEKLY
        case Monthly():
            return _Often.MONTHLY
        case EveryHours():
            return _Often.HOURLY
        case OnRequest():
            return _Often.ASKED
        case _:
            assert_never(schedule)
