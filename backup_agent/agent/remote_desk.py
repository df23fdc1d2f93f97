"""The desk of the service, reached through the local socket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar, assert_never

import msgspec

from backup_agent.agent import wire
from backup_agent.agent.desk import (
    AgentSettings,
    DeskState,
    Listen,
    LocationFinding,
    Reach,
    RetentionPreview,
    Secrets,
    Told,
    Unsubscribe,
)
from backup_agent.agent.plan import Plan
from backup_agent.agent.plan_file import PLANS_VERSION
from backup_agent.agent.ran import RunPage, RunQuery
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import EverbootError, HostError, JobCancelledError, PrivilegeError
from backup_agent.host.local_door import Line
from backup_agent.model.cancel import CancelToken

_Result = TypeVar("_Result")
_TRY_AGAIN_SECONDS = 1.0


class RemoteDesk:
    """See :class:`~backup_agent.agent.desk.Desk`. Each question has a line of its own, so that
    nobody waits for another's, and a service that was started anew is simply the one reached.
    """

    def __init__(self, knock: Callable[[], Line]) -> None:
        """``knock`` raises ``HostError`` where nobody answers."""
        self._knock = knock

    def greet(self) -> wire.Hello:
        """Who answers. Raises ``HostError``."""
        line, hello = self._enter()
        line.close()
        return hello

    def state(self) -> DeskState:
        return self._ask(wire.GetState(), DeskState)

    def save_plan(self, plan: Plan, secrets: Secrets | None = None) -> None:
        self._ask(wire.SavePlan(plan, secrets), type(None), gives_plan=True)

    def remove_plan(self, plan_id: str) -> None:
        self._ask(wire.RemovePlan(plan_id), type(None))

    def run_now(self, plan_id: str) -> None:
        self._ask(wire.RunNow(plan_id), type(None))

    def stop(self, run_id: str) -> None:
        self._ask(wire.Stop(run_id), type(None))

    def pause_until(self, when: datetime | None, *, plan_id: str = "") -> None:
        self._ask(wire.Pause(when, plan_id), type(None))

    def runs(self, query: RunQuery) -> RunPage:
        return self._ask(wire.GetRuns(query), RunPage)

    def preview_retention(self, plan: Plan) -> RetentionPreview:
        return self._ask(wire.Preview(plan), RetentionPreview, gives_plan=True)

    def look_at(self, location: StorageLocation, secrets: Secrets) -> LocationFinding:
        return self._ask(wire.LookAt(location, secrets), LocationFinding)

    def create_repository(self, location: StorageLocation, secrets: Secrets) -> None:
        self._ask(wire.Create(location, secrets), type(None))

    def reach(self, plan_id: str) -> Reach:
        return self._ask(wire.GetReach(plan_id), Reach)

    def settings(self) -> AgentSettings:
        return self._ask(wire.GetSettings(), AgentSettings)

    def change_settings(self, settings: AgentSettings) -> None:
        self._ask(wire.ChangeSettings(settings), type(None))

    def subscribe(self, listen: Listen) -> Unsubscribe:
        subscription = _Subscription(self._enter, listen)
        threading.Thread(target=subscription.run, name="desk news", daemon=True).start()
        return subscription.end

    def _ask(
        self, request: wire.Request, kind: type[_Result], *, gives_plan: bool = False
    ) -> _Result:
        line, hello = self._enter()
        try:
            if gives_plan and hello.plans < PLANS_VERSION:
                raise HostError(
                    f"The service (version {hello.version}) does not know all that plans can say.",
                    hint="Update the service, and start it anew.",
                )
            wire.send(line, request)
            reply: wire.Reply = wire.receive(line, wire.Reply)  # type: ignore[arg-type] # a union is no type[...]
        finally:
            line.close()
        match reply:
            case wire.Answer(result):
                return msgspec.json.decode(result, type=kind)
            case wire.Failure(code, message, hint):
                raise error_of(code, message, hint)
            case wire.News():
                raise HostError("The service answered what nobody asked.")
            case _:
                assert_never(reply)

    def _enter(self) -> tuple[Line, wire.Hello]:
        """Only to somebody who may be told passwords. Raises ``HostError``."""
        line = self._knock()
        try:
            hello = _greeted(line)
            wire.send(line, wire.Hello())
        except BaseException:
            line.close()
            raise
        return line, hello


def _greeted(line: Line) -> wire.Hello:
    """Raises ``PrivilegeError`` for a service of somebody else, ``HostError``."""
    if not line.peer.is_trusted:
        raise PrivilegeError(
            "Another user keeps the service's place, who is no administrator.",
            hint="Look at who has made the socket, and remove it.",
        )
    hello = wire.receive(line, wire.Hello)
    if hello.protocol != wire.PROTOCOL:
        raise HostError(
            f"The service (version {hello.version}) speaks another language.",
            hint="Update the older one of the two, and start the service anew.",
        )
    return hello


class _Subscription:
    """``run`` is the body of a thread; it ends with ``end`` alone, whatever the service does."""

    def __init__(self, enter: Callable[[], tuple[Line, wire.Hello]], listen: Listen) -> None:
        self._enter = enter
        self._listen = listen
        self._ended = CancelToken()
        self._line: Line | None = None
        self._was_there = True

    def run(self) -> None:
        with suppress(JobCancelledError):
            while True:
                with suppress(HostError):
                    self._listen_on()
                self._ended.raise_if_cancelled()
                if self._was_there:
                    self._listen(Told.GONE)
                self._was_there = False
                self._ended.wait(_TRY_AGAIN_SECONDS)

    def end(self) -> None:
        self._ended.cancel()
        line = self._line
        if line is not None:
            line.close()

    def _listen_on(self) -> None:
        line, _ = self._enter()
        self._line = line
        try:
            self._ended.raise_if_cancelled()
            wire.send(line, wire.Subscribe())
            self._was_there = True
            # Whatever happened while nobody listened.
            self._listen(Told.CHANGED)
            while True:
                self._listen(wire.receive(line, wire.News).told)
        finally:
            line.close()


def error_of(code: str, message: str, hint: str) -> EverbootError:
    """The error that the service met, of the same class if that is known here."""
    return _classes().get(code, EverbootError)(message, hint=hint)


def _classes() -> dict[str, type[EverbootError]]:
    known = {EverbootError.code: EverbootError}
    waiting = [EverbootError]
    while waiting:
        for below in waiting.pop().__subclasses__():
            # Several may share a code; the one highest up stands for all.
            known.setdefault(below.code, below)
            waiting.append(below)
    return known
