"""``everboot agent``"""

from __future__ import annotations

import argparse
from contextlib import ExitStack, closing
from datetime import datetime
from typing import TYPE_CHECKING

from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.agent.ledger import Ledger
    from backup_agent.agent.service import Surroundings
    from backup_agent.services.link.reports import ReportChannel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # it keeps the plans as they are, and asks nobody


def run(args: argparse.Namespace, session: Session) -> int:
    """Until it is told to end."""
    del args
    from backup_agent.agent.alone import alone
    from backup_agent.agent.ledger import ledger_file
    from backup_agent.agent.service import Agent
    from backup_agent.errors import JobCancelledError

    with ExitStack() as stack:
        stack.enter_context(alone(ledger_file(session.environment)))
        ledger = stack.enter_context(closing(open_ledger(session)))
        around = surroundings(session, ledger)
        channel = _channel(session)
        session.render.show(
            {"message_type": "agent", "plans": len(around.plans()), "linked": channel is not None},
            f"The agent keeps {len(around.plans())} plans. Ctrl-C ends it.",
        )
        try:
            Agent(around, channel, cancel=session.cancel).run()
        except JobCancelledError:
            session.render.say("The agent has ended.")
    return 0


def open_ledger(session: Session) -> Ledger:
    """That of this device. News are kept for the console only where there is one."""
    from backup_agent.agent.ledger import Ledger, ledger_file
    from backup_agent.services.link.identity import identity_file

    is_linked = identity_file(session.environment).exists()
    return Ledger(ledger_file(session.environment), tells=is_linked)


def surroundings(session: Session, ledger: Ledger) -> Surroundings:
    """What plans run with: the repository, password and options of this command line."""
    from backup_agent.agent.plan_file import load_plans, plans_file
    from backup_agent.agent.service import Surroundings
    from backup_agent.services.repositories import local_folder, opened

    access = session.access()
    return Surroundings(
        plans=lambda: load_plans(plans_file(session.environment)),
        open_repository=lambda emit, cancel: opened(access, emit=emit, cancel=cancel),
        ledger=ledger,
        folder=local_folder(access.address),
        emit=session.render.emit,
        now=lambda: datetime.now().astimezone(),
    )


def _channel(session: Session) -> ReportChannel | None:
    """The way to the console; it lives as long as the process."""
    from dataclasses import replace

    from backup_agent.services.link.console import ConsoleClient
    from backup_agent.services.link.identity import identity_file, load
    from backup_agent.services.link.reports import ReportChannel
    from backup_agent.services.link.tokens import DeviceTokens

    file = identity_file(session.environment)
    if not file.exists():
        return None
    identity = load(file)
    console = identity.console
    if (cacert := session.cacert()) is not None:
        console = replace(console, cacert=cacert)
    client = ConsoleClient(console, identity.key, session.environment)
    return ReportChannel(client, DeviceTokens(client))
