"""The agent itself: one run at a time, when it is due or somebody asks for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias, assert_never

from backup_agent.agent.carry_out import OpenRepository, carry_out
from backup_agent.agent.courier import Courier
from backup_agent.agent.ledger import Ledger, RunEntry
from backup_agent.agent.listener import Listener
from backup_agent.agent.plan import Plan, next_run
from backup_agent.agent.ran import Outcome, Ran
from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, Notice, Progress
from backup_agent.services.link.reports import (
    NAME_LENGTH,
    TEXT_LENGTH,
    Command,
    ReportChannel,
    ToldPlan,
    fitting,
)

# New plans, and a clock that was put forward, are noticed after so long at most.
_LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _BackUp:
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


@dataclass(frozen=True, slots=True)
class _Ended:
    run: RunEntry
    ran: Ran


_Wish: TypeAlias = _BackUp | _Stop | _Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the agent works with. ``plans`` reads them anew each time and may raise
    ``UsageError``; ``folder`` is where the repository lies, if on this computer.
    """

    plans: Callable[[], tuple[Plan, ...]]
    open_repository: OpenRepository
    ledger: Ledger
    folder: Path | None
    emit: Emit
    now: Callable[[], datetime]


class Agent:
    """``run`` lasts until ``cancel``. ``channel`` is None for a device without a console."""

    def __init__(
        self, surroundings: Surroundings, channel: ReportChannel | None, *, cancel: CancelToken
    ) -> None:
        self._around = surroundings
        self._channel = channel
        self._cancel = cancel
        self._wishes: SimpleQueue[_Wish | None] = SimpleQueue()
        self._asked: deque[Plan] = deque()
        self._known_plans: tuple[Plan, ...] = ()
        self._worker: threading.Thread | None = None
        self._stop_run = CancelToken()
        self._running: Plan | None = None
        self._courier: Courier | None = None

    def run(self) -> None:
        """Ends by ``JobCancelledError``; a run in progress is stopped safely first."""
        for run in self._around.ledger.end_those_broken_off(now=self._around.now()):
            self._around.emit(Notice(f"{run.plan_name}: the last run was broken off."))
        self._speak_with_console()
        try:
            with self._cancel.waking(self._wishes):
                while True:
                    self._begin_what_is_due()
                    self._take(self._next_wish())
        finally:
            self._end_run()

    def obey(self, command: Command) -> str:
        """Take what the console asks; empty, or why not. Called by the listener."""
        match command.kind:
            case "stop":
                self._wishes.put(_Stop())
                return ""
            case "back_up":
                return self._obey_back_up(command.plan)
            case kind:
                return f"This agent does not know the command {kind!r}."

    def _obey_back_up(self, plan_id: str | None) -> str:
        plans = self._plans()
        chosen = [plan for plan in plans if plan_id in (None, plan.id)]
        if not chosen:
            return "There is no such plan." if plans else "This device has no plan yet."
        self._wishes.put(_BackUp(chosen[0]))
        return ""

    def _speak_with_console(self) -> None:
        if self._channel is None:
            return
        self._courier = Courier(
            self._channel,
            self._around.ledger,
            self._told_plans,
            emit=self._around.emit,
            cancel=self._cancel,
        )
        listener = Listener(self._channel, self.obey, cancel=self._cancel)
        for name, body in (("courier", self._courier.run), ("listener", listener.run)):
            # A console that does not answer may not hold up the end.
            threading.Thread(target=body, name=name, daemon=True).start()

    def _next_wish(self) -> _Wish | None:
        try:
            wish = self._wishes.get(timeout=_LOOK_SECONDS)
        except Empty:
            wish = None
        self._cancel.raise_if_cancelled()
        return wish

    def _take(self, wish: _Wish | None) -> None:
        match wish:
            case None:
                return
            case _BackUp(plan):
                if self._running != plan and plan not in self._asked:
                    self._asked.append(plan)
            case _Stop():
                self._asked.clear()
                self._stop_run.cancel()
            case _Ended(run, ran):
                self._finish(run, ran)
            case _:
                assert_never(wish)

    def _begin_what_is_due(self) -> None:
        if self._running is not None:
            return
        plan = self._asked.popleft() if self._asked else self._due()
        if plan is not None:
            self._begin(plan)

    def _due(self) -> Plan | None:
        """The plan that waits longest."""
        now = self._around.now()
        due = [(self._next_run(plan, now), plan) for plan in self._plans()]
        late = [(at, plan) for at, plan in due if at is not None and at <= now]
        return min(late, key=lambda each: each[0])[1] if late else None

    def _begin(self, plan: Plan) -> None:
        run = self._around.ledger.begin(plan, at=self._around.now())
        self._running, self._stop_run = plan, CancelToken()
        self._around.emit(Notice(f"{plan.name}: backing up {plan.what}."))
        if self._courier is not None:
            self._courier.show_progress(run.id, Progress("start"))
            self._courier.there_is_news()
        self._worker = threading.Thread(target=self._work, args=(plan, run), name="backup")
        self._worker.start()

    def _work(self, plan: Plan, run: RunEntry) -> None:
        """The body of the backup's own thread; whatever happens, it says how it ended."""
        ran = Ran(outcome=Outcome.FAILED, ended_at=run.started_at, message="It ended unexpectedly.")

        def emit(event: Event) -> None:
            if isinstance(event, Progress) and self._courier is not None:
                self._courier.show_progress(run.id, event)
            self._around.emit(event)

        try:
            ran = carry_out(
                plan,
                self._around.open_repository,
                folder=self._around.folder,
                emit=emit,
                cancel=self._stop_run,
                now=self._around.now,
            )
        finally:
            self._wishes.put(_Ended(run, ran))

    def _finish(self, run: RunEntry, ran: Ran) -> None:
        self._around.ledger.end(run, ran)
        if self._worker is not None:
            self._worker.join()
        self._running = self._worker = None
        self._around.emit(Notice(f"{run.plan_name}: {told(ran)}"))
        if self._courier is not None:
            self._courier.show_progress(run.id, None)
            self._courier.there_is_news()

    def _end_run(self) -> None:
        """The agent ends: its run stops, and that is noted for the next start to tell."""
        self._stop_run.cancel()
        if self._worker is None:
            return
        self._worker.join()
        while self._running is not None:
            wish = self._wishes.get()
            if isinstance(wish, _Ended):
                self._finish(wish.run, wish.ran)

    def _plans(self) -> tuple[Plan, ...]:
        try:
            self._known_plans = self._around.plans()
        except UsageError as exc:
            # Somebody edits the file right now, or broke it: that does not end the plans.
            self._around.emit(Notice(f"{exc.message} {exc.hint}"))
        return self._known_plans

    def _next_run(self, plan: Plan, now: datetime) -> datetime | None:
        return next_run(plan, self._around.ledger.last_start(plan), now=now)

    def _told_plans(self) -> list[ToldPlan]:
        now = self._around.now()
        return [
            ToldPlan(
                key=plan.id,
                name=fitting(plan.name, NAME_LENGTH),
                what=fitting(plan.what, TEXT_LENGTH),
                every_hours=plan.every_hours,
                next_run_at=self._next_run(plan, now),
            )
            for plan in self._plans()
        ]


def run_now(plan: Plan, surroundings: Surroundings, *, cancel: CancelToken) -> Ran:
    """Run one plan here and now, without an agent; noted as any other run."""
    run = surroundings.ledger.begin(plan, at=surroundings.now())
    ran = carry_out(
        plan,
        surroundings.open_repository,
        folder=surroundings.folder,
        emit=surroundings.emit,
        cancel=cancel,
        now=surroundings.now,
    )
    surroundings.ledger.end(run, ran)
    return ran


def told(ran: Ran) -> str:
    """A sentence about how a run ended."""
    match ran.outcome:
        case Outcome.DONE:
            return f"restore point {ran.snapshot[:8]} saved."
        case Outcome.INCOMPLETE:
            left_out = "1 item was" if ran.omitted == 1 else f"{ran.omitted:,} items were"
            return f"restore point {ran.snapshot[:8]} saved, but {left_out} left out."
        case Outcome.FAILED:
            return f"failed. {ran.message} {ran.hint}".rstrip()
        case Outcome.STOPPED:
            return "stopped as asked. Earlier restore points are whole."
        case Outcome.BROKEN_OFF:
            return f"broken off. {ran.message}"
        case _:
            assert_never(ran.outcome)
