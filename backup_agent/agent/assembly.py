"""Putting the agent together, for the service and for a window without one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.agent.agenda import Agenda, Order
from backup_agent.agent.alone import alone
from backup_agent.agent.conditions import Circumstances
from backup_agent.agent.console_line import ConsoleLine
from backup_agent.agent.console_link import ConsoleLink, console_channel
from backup_agent.agent.database import Database, database_file, state_folder
from backup_agent.agent.desk import Told
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.own_desk import Listeners, OwnDesk
from backup_agent.agent.plan_book import PlanBook
from backup_agent.agent.plan_file import plans_file
from backup_agent.agent.plan_repositories import PlanRepositories
from backup_agent.agent.plugging import Plugging
from backup_agent.agent.ran import Ran, failed
from backup_agent.agent.secret_store import SecretStore, secret_store
from backup_agent.agent.separate_jobs import SeparateJobs
from backup_agent.agent.service import Agent, Surroundings, Work
from backup_agent.agent.settings import Settings
from backup_agent.errors import EverbootError, JobCancelledError
from backup_agent.host.select import current_senses, has_conversations
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.link.identity import identity_file
from backup_agent.services.link.reports import ReportChannel

if TYPE_CHECKING:
    from backup_agent.services.repositories import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the agent asks of the world around it; tests play it.

    ``default_access`` is how this process reaches a repository by an address, empty for the one
    it was started with. ``disk_folder``: where the file system with that id is mounted.
    """

    environment: Mapping[str, str]
    default_access: Callable[[str], Access]
    now: Callable[[], datetime]
    zone: Callable[[], tzinfo]
    circumstances: Callable[[], Circumstances]
    disk_folder: Callable[[str], Path | None]
    emit: Emit
    work_with: Callable[[PlanRepositories], Work]
    console_channel: Callable[[], ReportChannel]


def outside_of_host(
    environment: Mapping[str, str],
    *,
    default_access: Callable[[str], Access],
    cacert: Path | None = None,
    emit: Emit,
) -> Outside:
    """Of the computer as it is. ``cacert``: whom to trust as the console, if not whom the device
    was linked with.
    """
    senses = current_senses()

    def circumstances() -> Circumstances:
        return Circumstances(
            on_battery=senses.on_battery(),
            metered=senses.metered(),
            idle_seconds=senses.idle_seconds(),
        )

    def now() -> datetime:
        return datetime.now(senses.zone())

    def work_with(repositories: PlanRepositories) -> Work:
        if has_conversations():
            return SeparateJobs(repositories, now=now)
        return work_here(repositories, now=now)

    return Outside(
        environment=environment,
        default_access=default_access,
        now=now,
        zone=senses.zone,
        circumstances=circumstances,
        disk_folder=senses.mounted_at,
        emit=emit,
        work_with=work_with,
        console_channel=partial(console_channel, environment, cacert),
    )


def work_here(repositories: PlanRepositories, *, now: Callable[[], datetime]) -> Work:
    """Jobs on a thread of this process, for those who wait for one anyway."""

    def work(order: Order, emit: Emit, cancel: CancelToken) -> Ran:
        from backup_agent.agent.carry_out import carry_out
        from backup_agent.agent.plan_access import PlanAccess

        try:
            access = PlanAccess(repositories.access(order.plan.location), now=now)
        except EverbootError as exc:
            return failed(exc, now())
        return carry_out(order, access, emit=emit, cancel=cancel, now=now)

    return work


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An agent, put together; it does not run yet."""

    agent: Agent
    desk: OwnDesk
    ledger: Ledger
    settings: Settings
    agenda: Agenda
    book: PlanBook
    repositories: PlanRepositories
    listeners: Listeners
    outside: Outside
    cancel: CancelToken

    def run_here(self, order: Order) -> Ran:
        """Do one job here and now, without an agent; noted as any other run."""
        run = self.ledger.begin(order.plan, at=self.outside.now(), kind=order.kind)
        work = work_here(self.repositories, now=self.outside.now)
        ran = work(order, self.outside.emit, self.cancel)
        self.ledger.end(run, ran)
        return ran


@contextmanager
def assembled(outside: Outside, *, cancel: CancelToken) -> Iterator[Parts]:
    """Raises ``UsageError`` for plans or a history of a newer Everboot."""
    environment = outside.environment
    identity = identity_file(environment)
    with closing(Database(database_file(environment))) as database:
        settings = Settings(database)
        ledger = Ledger(database, tells=identity.exists())
        secrets = kept_secrets(environment)
        book = plan_book(environment)
        repositories = PlanRepositories(
            outside.default_access,
            secrets,
            settings,
            disk_folder=outside.disk_folder,
        )
        agenda = Agenda(
            ledger,
            settings,
            circumstances=outside.circumstances,
            present=repositories.is_present,
            zone=outside.zone,
        )
        listeners = Listeners()

        work = outside.work_with(repositories)

        def open_line(until: CancelToken) -> None:
            _open_line(agent, ledger, agenda, settings, listeners, outside, until)

        link = ConsoleLink(identity, open_line=open_line, emit=outside.emit)

        def look() -> None:
            ledger.tells = link.is_there
            link.look()

        agent = Agent(
            Surroundings(
                plans=book.load,
                agenda=agenda,
                work=work,
                ledger=ledger,
                plugged=Plugging(repositories.is_present).look,
                look=look,
                emit=outside.emit,
                now=outside.now,
            ),
            tell=listeners.tell,
            cancel=cancel,
        )
        desk = OwnDesk(
            agent,
            book,
            agenda,
            ledger,
            settings,
            repositories,
            secrets,
            listeners,
            console=link.address,
            now=outside.now,
            zone=outside.zone,
        )
        try:
            yield Parts(
                agent=agent,
                desk=desk,
                ledger=ledger,
                settings=settings,
                agenda=agenda,
                book=book,
                repositories=repositories,
                listeners=listeners,
                outside=outside,
                cancel=cancel,
            )
        finally:
            link.close()


def kept_secrets(environment: Mapping[str, str]) -> SecretStore:
    """Sealed beside the plans, if no keyring does it; the key lies with the agent's state."""
    return secret_store(
        environment, folder=plans_file(environment).parent, key_folder=state_folder(environment)
    )


def plan_book(environment: Mapping[str, str]) -> PlanBook:
    return PlanBook(plans_file(environment), lock_file=state_folder(environment) / "plans.lock")


def _open_line(
    agent: Agent,
    ledger: Ledger,
    agenda: Agenda,
    settings: Settings,
    listeners: Listeners,
    outside: Outside,
    until: CancelToken,
) -> None:
    """Tell the console, and obey it, until it is cancelled. Raises ``LinkError``."""
    line = ConsoleLine(
        outside.console_channel(),
        agent,
        ledger,
        agenda,
        settings,
        now=outside.now,
        emit=outside.emit,
        cancel=until,
    )

    def hear(told: Told) -> None:
        if until.cancelled:
            unsubscribe()
        else:
            line.hear(told)

    unsubscribe = listeners.add(hear)
    line.open()


@contextmanager
def portable(outside: Outside) -> Iterator[OwnDesk]:
    """A desk whose agent runs in this process, until the end of the ``with``: then what runs is
    stopped safely, and made up for at the next start.

    Raises ``UsageError`` where another agent keeps these plans.
    """
    cancel = CancelToken()
    with ExitStack() as stack:
        stack.enter_context(alone(database_file(outside.environment)))
        parts = stack.enter_context(assembled(outside, cancel=cancel))
        keeping = threading.Thread(target=_keep, args=(parts.agent,), name="agent")
        keeping.start()
        try:
            yield parts.desk
        finally:
            cancel.cancel()
            keeping.join()
            parts.listeners.tell(Told.GONE)


def _keep(agent: Agent) -> None:
    with suppress(JobCancelledError):
        agent.run()
