"""``everboot agent``"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.agent.assembly import Outside
    from backup_agent.agent.desk import Desk
    from backup_agent.model.events import Emit, Event


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # it keeps the plans as they are, and asks nobody


def run(args: argparse.Namespace, session: Session) -> int:
    """Until it is told to end."""
    del args
    from backup_agent.agent.alone import alone
    from backup_agent.agent.assembly import assembled
    from backup_agent.agent.database import database_file
    from backup_agent.agent.log import Log, log_file
    from backup_agent.agent.nearest_desk import front_door
    from backup_agent.errors import JobCancelledError

    log = Log(log_file(session.environment), now=lambda: datetime.now().astimezone())

    def emit(event: Event) -> None:
        log.write(event)
        session.render.emit(event)

    around = outside(session, emit=emit)
    with ExitStack() as stack:
        stack.enter_context(alone(database_file(session.environment)))
        parts = stack.enter_context(assembled(around, cancel=session.cancel))
        plans = len(parts.agent.plans())
        session.render.show(
            {"message_type": "agent", "plans": plans, "linked": bool(parts.desk.state().console)},
            f"The agent keeps {plans} plans. Ctrl-C ends it.",
        )
        stack.enter_context(front_door(parts.desk, session.environment))
        try:
            parts.agent.run()
        except JobCancelledError:
            session.render.say("The agent has ended.")
    return 0


def outside(session: Session, *, emit: Emit | None = None) -> Outside:
    """The world as this command line knows it: its repository, password and options."""
    from backup_agent.agent.assembly import outside_of_host

    return outside_of_host(
        session.environment,
        default_access=session.access_to,
        cacert=session.cacert(),
        emit=emit or session.render.emit,
    )


@contextmanager
def desk(session: Session) -> Iterator[Desk]:
    """The service's, or one without an agent that runs: what is changed there holds for the next
    that does.
    """
    from backup_agent.agent.assembly import assembled
    from backup_agent.agent.nearest_desk import service_desk

    service = service_desk(session.environment)
    if service is not None:
        yield service
        return
    with assembled(outside(session), cancel=session.cancel) as parts:
        yield parts.desk
