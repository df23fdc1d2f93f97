"""The agent itself: one run at a time, when it is due or somebody asks for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TypeAlias, assert_never

from backup_agent.agent.agenda import Agenda, Order
from backup_agent.agent.desk import RunningJob, Told
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import INTERRUPTED, Outcome, Ran, RunView
from backup_agent.agent.told import DOING, told
from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, Notice, Progress

LOOK_SECONDS = 30.0
"""New plans, a disk that was plugged in, and a clock that was put forward, are noticed after so
long at most."""
HISTORY_SECONDS = 5.0
"""Until a history that could not be written is written again."""
_NEWS_SECONDS = 0.1

Work: TypeAlias = Callable[[Order, Emit, CancelToken], Ran]
"""Does a job. Errors do not leave it: they are what became of the run."""


@dataclass(frozen=True, slots=True)
class _Ask:
    order: Order


@dataclass(frozen=True, slots=True)
class _Stop:
    """``run`` empty: whatever runs, and what was asked for, too."""

    run: str = ""
    owed: bool = False


@dataclass(frozen=True, slots=True)
class _Ended:
    run: RunView
    ran: Ran


_Wish: TypeAlias = _Ask | _Stop | _Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the agent works with. ``plans`` reads them anew each time and may raise
    ``UsageError``. ``look`` is called each time, for what is to be noticed beside. ``plugged``:
    the plans whose disk has come since it was asked last.
    """

    plans: Callable[[], tuple[Plan, ...]]
    agenda: Agenda
    work: Work
    ledger: Ledger
    plugged: Callable[[tuple[Plan, ...]], tuple[Plan, ...]]
    look: Callable[[], None]
    emit: Emit
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Job:
    """What runs. ``owed``: it is being stopped, and is due again."""

    run: RunView
    order: Order
    thread: threading.Thread
    cancel: CancelToken
    owed: bool = False


class Agent:
    """``run`` lasts until ``cancel``; everything else may be called from any thread."""

    def __init__(
        self, surroundings: Surroundings, *, tell: Callable[[Told], None], cancel: CancelToken
    ) -> None:
        """``tell`` hears of changes, on the thread that made them."""
        self._around = surroundings
        self._tell = tell
        self._cancel = cancel
        self._wishes: SimpleQueue[_Wish | None] = SimpleQueue()
        self._asked: deque[Order] = deque()
        self._known_plans: tuple[Plan, ...] = ()
        self._job: _Job | None = None
        self._shown: RunningJob | None = None
        self._shown_at = 0.0
        self.plans_problem: UsageError | None = None

    def run(self) -> None:
        """Ends by ``JobCancelledError``; a run in progress is stopped safely first."""
        for run in self._around.ledger.end_those_broken_off(now=self._around.now()):
            self._around.emit(Notice(f"{run.plan_name}: the last run was broken off."))
        self._asked += [Order(plan) for plan in self.plans() if plan.on_start]
        try:
            with self._cancel.waking(self._wishes):
                while True:
                    self._go_on()
        finally:
            self._end_run()

    @property
    def running(self) -> RunningJob | None:
        job, shown = self._job, self._shown
        if job is None or shown is None:
            return None
        return replace(shown, stopping=job.cancel.cancelled)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of plans that were asked for and come next."""
        return tuple(order.plan.id for order in tuple(self._asked))

    def ask(self, order: Order) -> None:
        """Do it next; a job that runs or waits already is not done twice."""
        self._wishes.put(_Ask(order))

    def stop(self, run_id: str = "") -> None:
        """That run; empty: whatever runs, and what was asked for."""
        self._wishes.put(_Stop(run_id))

    def interrupt(self, run_id: str) -> None:
        """Stop that run and do it again as soon as its plan may."""
        self._wishes.put(_Stop(run_id, owed=True))

    def cancel_plan(self, plan_id: str) -> None:
        """That plan is gone: what runs for it stops."""
        shown = self._shown
        if shown is not None and shown.plan_id == plan_id:
            self.stop(shown.run_id)

    def look(self) -> None:
        """Plans, settings or the ledger have changed."""
        self._wishes.put(None)

    def plans(self) -> tuple[Plan, ...]:
        """Those of the file; while that cannot be read, those that were known before."""
        try:
            self._known_plans = self._around.plans()
            self.plans_problem = None
        except UsageError as exc:
            # Somebody edits the file right now, or broke it: that does not end the plans.
            if self.plans_problem is None or self.plans_problem.message != exc.message:
                self._around.emit(Notice(f"{exc.message} {exc.hint}"))
            self.plans_problem = exc
        return self._known_plans

    def _go_on(self) -> None:
        """One step. A history that cannot be written (a full disk) holds up, and loses nothing."""
        wish: _Wish | None = None
        try:
            self._begin_what_is_due()
            wish = self._next_wish()
            self._take(wish)
        except sqlite3.Error as exc:
            self._around.emit(Notice(f"The history cannot be written ({exc}). It is tried again."))
            if wish is not None:
                self._wishes.put(wish)
            self._cancel.wait(HISTORY_SECONDS)

    def _next_wish(self) -> _Wish | None:
        try:
            wish = self._wishes.get(timeout=LOOK_SECONDS)
        except Empty:
            wish = None
        self._cancel.raise_if_cancelled()
        return wish

    def _take(self, wish: _Wish | None) -> None:
        match wish:
            case None:
                return
            case _Ask(order):
                self._enqueue(order)
            case _Stop(run, owed):
                self._stop_job(run, owed=owed)
            case _Ended(run, ran):
                self._finish(run, ran)
            case _:
                assert_never(wish)

    def _enqueue(self, order: Order) -> None:
        """Once. What somebody asks for comes before what an occasion asked for."""
        running = self._job.order if self._job is not None else None
        if running is not None and _is_same(running, order):
            return
        waiting = [each for each in self._asked if _is_same(each, order)]
        if any(each.asked or not order.asked for each in waiting):
            return
        self._asked = deque(each for each in self._asked if each not in waiting)
        self._asked.append(order)
        self._tell(Told.CHANGED)

    def _stop_job(self, run: str, *, owed: bool) -> None:
        if not run:
            self._asked.clear()
        job = self._job
        if job is None or run not in ("", job.run.id):
            return
        self._job = replace(job, owed=owed)
        job.cancel.cancel()
        self._tell(Told.CHANGED)

    def _begin_what_is_due(self) -> None:
        self._around.look()
        plans, now = self.plans(), self._around.now()
        for plan in self._around.plugged(plans):
            if self._around.agenda.wants_on_plug(plan, now=now):
                self._enqueue(Order(plan))
        if self._job is not None:
            return
        order = self._next_asked(plans) or self._around.agenda.next_order(plans, now=now)
        if order is None:
            return
        try:
            self._begin(order)
        except sqlite3.Error:
            self._asked.appendleft(order)
            raise

    def _next_asked(self, plans: tuple[Plan, ...]) -> Order | None:
        """As the plan is by now; one that was removed meanwhile is not run any more. What an
        occasion asked for waits for its plan's conditions like what the clock asks for.
        """
        current = {plan.id: plan for plan in plans}
        kept: list[Order] = []
        chosen: Order | None = None
        for order in self._asked:
            plan = current.get(order.plan.id)
            if plan is None:
                continue
            if chosen is None and (order.asked or self._may_run(plan)):
                chosen = replace(order, plan=plan)
            else:
                kept.append(order)
        self._asked = deque(kept)
        return chosen

    def _may_run(self, plan: Plan) -> bool:
        return self._around.agenda.may_run(plan, now=self._around.now())

    def _begin(self, order: Order) -> None:
        plan = order.plan
        run = self._around.ledger.begin(plan, at=self._around.now(), kind=order.kind)
        cancel = CancelToken()
        worker = threading.Thread(target=self._work, args=(order, run, cancel), name=order.kind)
        self._job = _Job(run, order, worker, cancel)
        self._shown = RunningJob(
            run_id=run.id,
            kind=order.kind,
            plan_id=plan.id,
            plan_name=plan.name,
            started_at=run.started_at,
            phase="start",
        )
        self._around.emit(Notice(f"{plan.name}: {DOING[order.kind]} {plan.what}."))
        self._tell(Told.CHANGED)
        worker.start()

    def _work(self, order: Order, run: RunView, cancel: CancelToken) -> None:
        """The body of the job's own thread; whatever happens, it says how it ended."""
        ran = Ran(outcome=Outcome.FAILED, ended_at=run.started_at, message="It ended unexpectedly.")

        def emit(event: Event) -> None:
            if isinstance(event, Progress):
                self._show(event)
            self._around.emit(event)

        try:
            ran = self._around.work(order, emit, cancel)
        finally:
            self._wishes.put(_Ended(run, ran))

    def _show(self, progress: Progress) -> None:
        shown = self._shown
        if shown is None:
            return
        self._shown = replace(
            shown,
            phase=progress.phase,
            files_done=progress.files_done,
            files_total=progress.files_total,
            bytes_done=progress.bytes_done,
            bytes_total=progress.bytes_total,
            current=progress.current,
        )
        now = time.monotonic()
        if now - self._shown_at >= _NEWS_SECONDS:
            self._shown_at = now
            self._tell(Told.PROGRESS)

    def _finish(self, run: RunView, ran: Ran) -> None:
        job = self._job
        if job is not None:
            job.thread.join()
            if job.owed and ran.outcome is Outcome.STOPPED:
                ran = replace(ran, code=INTERRUPTED)
        self._around.ledger.end(run, ran)
        self._job = self._shown = None
        self._around.emit(Notice(f"{run.plan_name}: {told(ran, run.kind)}"))
        self._tell(Told.CHANGED)

    def _end_run(self) -> None:
        """The agent ends: its run stops, and is made up for at the next start."""
        if self._job is None:
            return
        self._job = replace(self._job, owed=True)
        self._job.cancel.cancel()
        while self._job is not None:
            wish = self._wishes.get()
            if not isinstance(wish, _Ended):
                continue
            try:
                self._finish(wish.run, wish.ran)
            except sqlite3.Error as exc:
                # The next start finds a run without an end, and makes up for it.
                self._around.emit(Notice(f"The history cannot be written ({exc})."))
                return


def _is_same(one: Order, other: Order) -> bool:
    return (one.plan.id, one.kind) == (other.plan.id, other.kind)
