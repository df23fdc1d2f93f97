"""The agent's line to its console: what it tells, and what it lets people there ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from backup_agent.agent.agenda import Agenda, Order
from backup_agent.agent.courier import Courier
from backup_agent.agent.desk import Told
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.listener import Listener
from backup_agent.agent.ran import JobKind
from backup_agent.agent.service import Agent
from backup_agent.agent.settings import Settings
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.services.link.reports import (
    NAME_LENGTH,
    TEXT_LENGTH,
    Command,
    ReportChannel,
    ToldPlan,
    fitting,
)


class ConsoleLine:
    """Everything may be called from any thread."""

    def __init__(
        self,
        channel: ReportChannel,
        agent: Agent,
        ledger: Ledger,
        agenda: Agenda,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        emit: Emit,
        cancel: CancelToken,
    ) -> None:
        self._agent = agent
        self._agenda = agenda
        self._settings = settings
        self._now = now
        self._courier = Courier(channel, ledger, self.plans, emit=emit, cancel=cancel)
        self._listener = Listener(channel, self.obey, cancel=cancel)

    def open(self) -> None:
        """Speak and listen until the cancel token says otherwise."""
        for name, body in (("courier", self._courier.run), ("listener", self._listener.run)):
            # A console that does not answer may not hold up the end.
            threading.Thread(target=body, name=name, daemon=True).start()

    def hear(self, told: Told) -> None:
        """What the agent tells. Consoles are shown backups, and nothing else that runs."""
        job = self._agent.running
        if job is not None and job.kind is JobKind.BACKUP:
            progress = Progress(
                job.phase, job.files_done, job.files_total, job.bytes_done, job.bytes_total
            )
            self._courier.show_progress(job.run_id, progress)
        else:
            self._courier.show_progress("", None)
        if told is Told.CHANGED:
            self._courier.there_is_news()

    def obey(self, command: Command) -> str:
        """Take what the console asks; empty, or why not. Called by the listener."""
        if not self._settings.agent().obeys_console:
            return "This device takes no commands from its console, as its owner has set."
        match command.kind:
            case "stop":
                self._agent.stop()
                return ""
            case "back_up":
                return self._back_up(command.plan)
            case kind:
                return f"This agent does not know the command {kind!r}."

    def plans(self) -> list[ToldPlan]:
        """As the console is told of them."""
        return [
            ToldPlan(
                key=standing.plan.id,
                name=fitting(standing.plan.name, NAME_LENGTH),
                what=fitting(standing.plan.what, TEXT_LENGTH),
                every_hours=standing.plan.every_hours,
                next_run_at=standing.next_run_at,
            )
            for standing in self._agenda.standings(self._agent.plans(), now=self._now())
        ]

    def _back_up(self, plan_id: str | None) -> str:
        plans = self._agent.plans()
        chosen = [plan for plan in plans if plan_id in (None, plan.id)]
        if not chosen:
            return "There is no such plan." if plans else "This device has no plan yet."
        self._agent.ask(Order(chosen[0], asked=True))
        return ""
