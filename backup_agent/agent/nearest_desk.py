"""Finding the desk: the service's if there is one, else one of this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from backup_agent.agent.assembly import Outside, portable
from backup_agent.agent.database import state_folder
from backup_agent.agent.desk import Desk
from backup_agent.agent.front_door import open_front_door
from backup_agent.agent.remote_desk import RemoteDesk
from backup_agent.errors import HungUpError, UnsupportedError
from backup_agent.host.local_door import LocalDoors
from backup_agent.host.select import local_doors

SYSTEM_DOOR = Path("/run/everboot/agent.sock")
"""Of the service that the system started; it serves administrators."""


def own_door(environment: Mapping[str, str]) -> Path:
    """Where the agent of this environment is reached: ``$EVERBOOT_AGENT_SOCKET``, else a socket
    beside its history.
    """
    if path := environment.get("EVERBOOT_AGENT_SOCKET"):
        return Path(path)
    return state_folder(environment) / "agent.sock"


def is_for_administrators(environment: Mapping[str, str]) -> bool:
    """Whether others than its own user may come: those of a service that says where it is."""
    return bool(environment.get("EVERBOOT_AGENT_SOCKET"))


@contextmanager
def front_door(desk: Desk, environment: Mapping[str, str]) -> Iterator[None]:
    """Others reach the desk, where this system has doors at all. Raises ``HostError``."""
    with ExitStack() as stack:
        if (doors := _doors()) is not None:
            path, wide = own_door(environment), is_for_administrators(environment)
            stack.enter_context(open_front_door(desk, doors, path, to_administrators=wide))
        yield


def service_desk(environment: Mapping[str, str]) -> RemoteDesk | None:
    """That of a service which answers; None where none does. Raises ``HostError`` for one that
    this version cannot speak to: beside it, nobody else may keep the plans.
    """
    doors = _doors()
    if doors is None:
        return None
    for path in _paths(environment):
        desk = RemoteDesk(partial(doors.knock, path))
        if path.exists() and _answers(desk):
            return desk
    return None


@contextmanager
def nearest_desk(outside: Outside) -> Iterator[Desk]:
    """The service's desk, else one whose agent runs in this process until the end of the
    ``with`` and which the next window reaches as if it were the service.

    Raises ``UsageError``, ``HostError``.
    """
    desk = service_desk(outside.environment)
    if desk is not None:
        yield desk
        return
    with (
        portable(outside) as own,
        front_door(own, outside.environment),
    ):
        yield own


def _paths(environment: Mapping[str, str]) -> Sequence[Path]:
    own = own_door(environment)
    return (own,) if is_for_administrators(environment) else (own, SYSTEM_DOOR)


def _answers(desk: RemoteDesk) -> bool:
    try:
        desk.greet()
    except HungUpError:
        return False
    return True


def _doors() -> LocalDoors | None:
    try:
        return local_doors()
    except UnsupportedError:
        return None
