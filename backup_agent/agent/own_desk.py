"""The desk of the agent in this very process: the service's, and that of a window without one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from backup_agent import __version__
from backup_agent.agent.agenda import Agenda, Order, Standing
from backup_agent.agent.concerns import concerns, verdict
from backup_agent.agent.desk import (
    AgentSettings,
    DeskState,
    Listen,
    LocationFinding,
    PlanView,
    Reach,
    RetentionPreview,
    Secrets,
    Told,
    Unsubscribe,
)
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.plan import Plan
from backup_agent.agent.plan_book import PlanBook
from backup_agent.agent.plan_repositories import PlanRepositories
from backup_agent.agent.ran import JobKind, RunPage, RunQuery, RunView
from backup_agent.agent.secret_store import SecretStore
from backup_agent.agent.service import Agent
from backup_agent.agent.settings import Settings
from backup_agent.agent.storage_location import StorageLocation


class Listeners:
    """Whoever wants to hear of changes; several threads may tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listening: list[Listen] = []

    def add(self, listen: Listen) -> Unsubscribe:
        with self._lock:
            self._listening.append(listen)

        def remove() -> None:
            with self._lock:
                if listen in self._listening:
                    self._listening.remove(listen)

        return remove

    def tell(self, told: Told) -> None:
        with self._lock:
            listening = tuple(self._listening)
        for listen in listening:
            listen(told)


class OwnDesk:
    """See :class:`~backup_agent.agent.desk.Desk`, which it is."""

    def __init__(
        self,
        agent: Agent,
        book: PlanBook,
        agenda: Agenda,
        ledger: Ledger,
        settings: Settings,
        repositories: PlanRepositories,
        secrets: SecretStore,
        listeners: Listeners,
        *,
        console: Callable[[], str],
        now: Callable[[], datetime],
        zone: Callable[[], tzinfo],
    ) -> None:
        self._agent = agent
        self._book = book
        self._agenda = agenda
        self._ledger = ledger
        self._settings = settings
        self._repositories = repositories
        self._secrets = secrets
        self._listeners = listeners
        self._console = console
        self._now = now
        self._zone = zone
        self._number = 0
        listeners.add(self._count)

    def state(self) -> DeskState:
        number, now = self._number, self._now()
        standings = self._agenda.standings(self._agent.plans(), now=now)
        views = tuple(self._view(standing) for standing in standings)
        paused_until = self._settings.pauses().everything
        paused_until = paused_until if paused_until is not None and paused_until > now else None
        found = concerns(
            views,
            failures={each.plan.id: each.record.fruitless for each in standings},
            paused_until=paused_until,
            plans_problem=self._agent.plans_problem,
            now=now,
            zone=self._zone(),
        )
        running = self._agent.running
        return DeskState(
            number=number,
            verdict=verdict(views, found),
            plans=views,
            running=(running,) if running else (),
            waiting=self._agent.waiting,
            concerns=found,
            paused_until=paused_until,
            console=self._console(),
            version=__version__,
            keeps_secrets_in=self._secrets.name,
        )

    def save_plan(self, plan: Plan, secrets: Secrets | None = None) -> None:
        before = self._book.load()
        self._book.save(plan)
        if secrets is not None:
            self._secrets.put(plan.location.key, secrets)
        self._forget_secrets_of(before)
        self._changed()

    def remove_plan(self, plan_id: str) -> None:
        before = self._book.load()
        self._book.remove(plan_id)
        self._agent.cancel_plan(plan_id)
        self._forget_secrets_of(before)
        self._changed()

    def run_now(self, plan_id: str) -> None:
        self._agent.ask(Order(self._book.find(plan_id), asked=True))

    def stop(self, run_id: str) -> None:
        self._agent.stop(run_id)

    def pause_until(self, when: datetime | None, *, plan_id: str = "") -> None:
        self._settings.pause(when, plan_id=plan_id, now=self._now())
        running = self._agent.running
        if when is not None and running is not None and plan_id in ("", running.plan_id):
            self._agent.interrupt(running.run_id)
        self._changed()

    def runs(self, query: RunQuery) -> RunPage:
        return self._ledger.page(query)

    def preview_retention(self, plan: Plan) -> RetentionPreview:
        from backup_agent.agent.looking import preview_retention

        access = self._repositories.access(plan.location)
        return preview_retention(plan, access, now=self._now())

    def look_at(self, location: StorageLocation, secrets: Secrets) -> LocationFinding:
        from backup_agent.agent.looking import look_at

        return look_at(lambda: self._repositories.access(location, secrets=secrets))

    def create_repository(self, location: StorageLocation, secrets: Secrets) -> None:
        from backup_agent.agent.looking import create_repository

        create_repository(self._repositories.access(location, secrets=secrets))

    def reach(self, plan_id: str) -> Reach:
        return self._repositories.reach(self._book.find(plan_id))

    def settings(self) -> AgentSettings:
        return self._settings.agent()

    def change_settings(self, settings: AgentSettings) -> None:
        self._settings.change_agent(settings)
        self._changed()

    def subscribe(self, listen: Listen) -> Unsubscribe:
        return self._listeners.add(listen)

    def _forget_secrets_of(self, before: Sequence[Plan]) -> None:
        """Those of storage locations that no plan names any more."""
        named = {plan.location.key for plan in self._book.load()}
        for key in {plan.location.key for plan in before} - named:
            self._secrets.remove(key)

    def _changed(self) -> None:
        # Known from now on, even if somebody breaks the file before the agent looks.
        self._agent.plans()
        self._agent.look()
        self._listeners.tell(Told.CHANGED)

    def _count(self, told: Told) -> None:
        if told is Told.CHANGED:
            self._number += 1

    def _view(self, standing: Standing) -> PlanView:
        def latest(kind: JobKind) -> RunView | None:
            return self._ledger.latest(standing.plan.id, kind)

        return PlanView(
            plan=standing.plan,
            next_run_at=standing.next_run_at,
            last_run=latest(JobKind.BACKUP),
            last_good=self._ledger.latest(standing.plan.id, JobKind.BACKUP, good=True),
            last_trial=latest(JobKind.TRIAL),
            last_check=latest(JobKind.CHECK),
            last_tidy=latest(JobKind.TIDY),
            waits_for=standing.waits_for if standing.is_due(self._now()) else None,
            paused_until=standing.paused_until,
        )
