"""Overview: whether one is safe, what is not and what mends it, and how the last weeks went."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial

from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from backup_agent.agent.desk import Concern, ConcernKind, Desk, DeskState, Remedy, Verdict
from backup_agent.agent.ran import RunPage
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import Head, Page, StateLabel, card, clear, fact, note, rule
from backup_agent.gui.pages.first_start import FirstStart
from backup_agent.gui.pages.history_of_runs import history_of, query_of
from backup_agent.gui.places import Place
from backup_agent.gui.sentences import (
    detail_of,
    headline,
    plan_state,
    remedy_words,
    retention_words,
    schedule_words,
    state_of,
    title_of,
    what_words,
)
from backup_agent.qtkit import dates, words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.emblem import StateEmblem
from backup_agent.qtkit.history_chart import HistoryChart
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.legend import Legend, Mark
from backup_agent.qtkit.state import State

_MORNING = time(8)
# What is shown by other means, or is no trouble.
_UNNOTED = {ConcernKind.NO_PLAN, ConcernKind.PAUSED}


class OverviewPage(Page):
    """The first start has a face of its own, as long as there is no plan."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, name=tr("Overview"))
        self._number = -1
        self._first = FirstStart(ground)
        self._emblem = StateEmblem(State.PAUSED, ground.palette, says=tr("State"))
        self._head = Head(tr("Looking how things stand"), sign=self._emblem)
        self._pause = button(tr("&Pause until tomorrow"), self._pause_or_resume, name="pause")
        self._run = button(tr("&Back up now"), self._run_now, kind="main", name="back up now")
        self._head.add(self._pause, self._run)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(8)
        self._chart = HistoryChart(ground.palette)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(24)
        self._columns.addWidget(self._history_card(), stretch=3)
        self._columns.addWidget(self._plans_card(), stretch=2)
        daily = QWidget()
        inside = QVBoxLayout(daily)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(16)
        inside.addWidget(self._head)
        inside.addLayout(self._notes)
        inside.addLayout(self._columns, stretch=1)
        self._daily = daily
        self._faces = QStackedLayout()
        self._faces.addWidget(daily)
        self._faces.addWidget(self._first)
        self.body.addLayout(self._faces)

    def _history_card(self) -> QFrame:
        frame, inside = card()
        top = QHBoxLayout()
        top.addWidget(label(tr("Last 30 days"), "heading"), stretch=1)
        marks = (
            (Mark.FULL, tr("Added")),
            (Mark.STRIPED, tr("Something left out")),
            (Mark.THIN, tr("Time taken")),
        )
        top.addWidget(Legend(marks, self.ground.palette))
        inside.addLayout(top)
        inside.addWidget(self._chart, stretch=1)
        inside.addWidget(rule())
        facts = QHBoxLayout()
        facts.setSpacing(24)
        self._facts: dict[str, QLabel] = {}
        for key, caption in (
            ("last", tr("Last backup")),
            ("added", tr("Added in 30 days")),
            ("trial", tr("Last trial restore")),
        ):
            column, value = fact(caption)
            facts.addLayout(column, stretch=1)
            self._facts[key] = value
        inside.addLayout(facts)
        return frame

    def _plans_card(self) -> QFrame:
        frame, inside = card(tr("What is protected"))
        self._plans = QVBoxLayout()
        self._plans.setSpacing(12)
        inside.addLayout(self._plans)
        inside.addStretch(1)
        return frame

    # News

    def show_state(self, state: DeskState) -> None:
        if state.number == self._number:
            return
        self._number = state.number
        is_first = not state.plans and not any(
            concern.kind is ConcernKind.PLANS_UNREADABLE for concern in state.concerns
        )
        self._faces.setCurrentWidget(self._first if is_first else self._daily)
        now = self.ground.now()
        said = headline(state, now)
        self._emblem.show_state(said.state, says=said.title)
        self._head.say(said.title, said.lead)
        self._show_buttons(state)
        self._show_notes(state)
        self._show_plans(state)
        self._show_trial(state, now)
        self.ground.desk.ask(lambda desk: desk.runs(query_of()), partial(self._show_runs, now))

    def appeared(self) -> None:
        if self._faces.currentWidget() is self._first:
            self._first.focus_likely()
        else:
            # Where something has a remedy, that is the likely answer.
            first = self._notes.itemAt(0)
            note_frame = first.widget() if first is not None else None
            mends = note_frame.findChildren(QPushButton) if note_frame is not None else []
            (mends[0] if mends else self._run).setFocus()

    def set_narrow(self, *, narrow: bool) -> None:
        super().set_narrow(narrow=narrow)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(way)

    def _show_buttons(self, state: DeskState) -> None:
        is_paused = state.paused_until is not None
        self._pause.setText(tr("Resu&me") if is_paused else tr("&Pause until tomorrow"))
        self._pause.setAccessibleName(self._pause.text().replace("&", ""))
        self._run.setEnabled(bool(state.plans) and not state.running)
        # Where something has a remedy, that is the main button.
        self._run.setProperty("kind", "" if state.verdict is Verdict.PROBLEM else "main")
        self._run.style().unpolish(self._run)
        self._run.style().polish(self._run)

    def _show_notes(self, state: DeskState) -> None:
        clear(self._notes)
        is_first = True
        names = {view.plan.id: view.plan.name for view in state.plans}
        for concern in state.concerns:
            if concern.kind in _UNNOTED:
                continue
            said = remedy_words(concern.remedy)
            is_main = is_first and concern.verdict is Verdict.PROBLEM
            mend = button(
                said,
                partial(self._mend, concern),
                kind="main" if is_main else "",
                name=f"mend {concern.kind.value}",
                says=f"{said}: {concern.message}",
            )
            title = title_of(concern)
            detail = detail_of(concern, names.get(concern.plan_id, ""))
            made = note(
                state_of(concern.verdict),
                title[:1].upper() + title[1:],
                detail,
                self.ground.palette,
                mend,
            )
            made.setObjectName(f"concern {concern.kind.value}")
            self._notes.addWidget(made)
            is_first = False

    def _show_plans(self, state: DeskState) -> None:
        clear(self._plans)
        for view in state.plans:
            top = QHBoxLayout()
            name = label(view.plan.name, "strong", wraps=True)
            name.setToolTip(view.plan.name)
            top.addWidget(name, stretch=1)
            sign = StateLabel(self.ground.palette)
            sign.show_state(*plan_state(view))
            top.addWidget(sign)
            self._plans.addLayout(top)
            said = what_words(view.plan)
            if said != view.plan.name:
                what = label(said, wraps=True)
                what.setToolTip(said)
                self._plans.addWidget(what)
            facts = (schedule_words(view.plan.schedule), retention_words(view.plan.retention))
            self._plans.addWidget(
                label(
                    tr("{when}. Kept: {kept}", when=facts[0], kept=facts[1]), "caption", wraps=True
                )
            )
            self._plans.addWidget(rule())

    def _show_trial(self, state: DeskState, now: datetime) -> None:
        trials = [view.last_trial for view in state.plans if view.last_trial is not None]
        latest = max(trials, key=lambda run: run.started_at, default=None)
        said = tr("None yet")
        if latest is not None and latest.ran is not None:
            when = dates.stamp(latest.ran.ended_at.astimezone(now.tzinfo), now)
            passed = latest.ran.outcome.value == "done"
            said = tr("Passed, {when}", when=when) if passed else tr("Failed, {when}", when=when)
        self._facts["trial"].setText(said)
        last = state.last_good
        ran = last.ran if last is not None else None
        self._facts["last"].setText(
            tr("None yet")
            if ran is None
            else tr(
                "{size} added, {files}",
                size=words.size(ran.bytes_added),
                files=trn("{number} file", "{number} files", ran.files),
            )
        )

    def _show_runs(self, now: datetime, page: RunPage) -> None:
        history = history_of(page.runs, now)
        self._chart.show_history(history)
        self._facts["added"].setText(words.size(sum(day.added for day in history.days)))

    # Wishes

    def _run_now(self) -> None:
        state = self.ground.desk.state
        for view in state.plans if state is not None else ():
            self.ground.desk.do(partial(_begin, view.plan.id))
        self.ground.ways.go(Place.ACTIVITY)

    def _pause_or_resume(self) -> None:
        state = self.ground.desk.state
        is_paused = state is not None and state.paused_until is not None
        until = None if is_paused else tomorrow_morning(self.ground.now())
        self.ground.desk.do(lambda desk: desk.pause_until(until))

    def _mend(self, concern: Concern) -> None:
        ways = self.ground.ways
        match concern.remedy:
            case Remedy.RUN_NOW | Remedy.PLUG_IN:
                self.ground.desk.do(partial(_begin, concern.plan_id))
                ways.go(Place.ACTIVITY)
            case Remedy.RESUME:
                self.ground.desk.do(lambda desk: desk.pause_until(None, plan_id=concern.plan_id))
            case Remedy.LINK:
                ways.link()
            case Remedy.SHOW_LEFT_OUT | Remedy.SHOW_RUN:
                ways.run(concern.run_id)
            case Remedy.MEND_PLANS:
                ways.go(Place.SETTINGS)
            case Remedy.ADD_PLAN:
                ways.plan("")
            case _:
                ways.plan(concern.plan_id)


def _begin(plan_id: str, desk: Desk) -> None:
    desk.run_now(plan_id)


def tomorrow_morning(now: datetime) -> datetime:
    """When a pause ends that nobody ends before."""
    return datetime.combine(now.date() + timedelta(days=1), _MORNING, tzinfo=now.tzinfo)
