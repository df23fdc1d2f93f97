"""What a linked device tells its console about its plans and runs, and what it is asked to do.

The values are the console's API (``/api/v1/openapi.json``, tag "device") as structs. Texts are
cut to what the console takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    # An agent without a console has no use for a web client, and is ten megabytes smaller.
    from backup_agent.services.link.console import ConsoleClient
    from backup_agent.services.link.tokens import DeviceTokens

NAME_LENGTH, TEXT_LENGTH, PATH_LENGTH = 100, 500, 1000
MOST_OMISSIONS, MOST_PATHS, MOST_EVENTS = 100, 100, 50


class ToldPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of this device."""

    key: str
    name: str
    what: str
    every_hours: int = 0
    next_run_at: datetime | None = None


class ToldOmission(msgspec.Struct, frozen=True):
    """Something that a run left out."""

    path: str
    reason: str


class ToldPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The restore point that a run made."""

    snapshot: str
    made_at: datetime
    kind: str
    paths: tuple[str, ...]


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag="run_started", tag_field="kind"):
    """A run began."""

    run: str
    at: datetime
    plan: str
    plan_name: str


class RunEnded(msgspec.Struct, frozen=True, kw_only=True, tag="run_ended", tag_field="kind"):
    """A run ended. Bytes are those of the source; ``omissions`` the first of ``omitted``."""

    run: str
    at: datetime
    started_at: datetime
    outcome: str
    plan: str
    plan_name: str
    files: int = 0
    bytes_read: int = 0
    bytes_added: int = 0
    omitted: int = 0
    omissions: tuple[ToldOmission, ...] = ()
    message: str = ""
    hint: str = ""
    point: ToldPoint | None = None


Event: TypeAlias = RunStarted | RunEnded


class ToldProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is."""

    run: str
    phase: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


class Command(msgspec.Struct, frozen=True):
    """What somebody asks of this device; ``plan`` None: its first one."""

    id: str
    kind: str
    plan: str | None = None


class _Interval(msgspec.Struct, frozen=True):
    interval_seconds: int


class _Commands(msgspec.Struct, frozen=True):
    commands: list[Command]


class _Heartbeat(msgspec.Struct, frozen=True):
    agent_version: str
    plans: Sequence[ToldPlan]


class _Events(msgspec.Struct, frozen=True):
    events: Sequence[Event]


class _Answer(msgspec.Struct, frozen=True):
    state: str
    message: str


class ReportChannel:
    """One for each device; several threads may share it.

    Every method raises ``TransientStorageError`` where the console cannot be reached,
    ``LinkRefusedError`` once it does not know this device any more, ``LinkError`` for what it
    does not take.
    """

    def __init__(self, client: ConsoleClient, tokens: DeviceTokens) -> None:
        self._client = client
        self._tokens = tokens

    def heartbeat(self, version: str, plans: Sequence[ToldPlan]) -> int:
        """A sign of life; after how many seconds the next one is expected."""
        answer = self._send("POST", "heartbeat", _Heartbeat(version, plans))
        return msgspec.json.decode(answer, type=_Interval).interval_seconds

    def events(self, events: Sequence[Event]) -> None:
        """At most ``MOST_EVENTS``, oldest first. What the console knows already it ignores."""
        self._send("POST", "events", _Events(events))

    def progress(self, progress: ToldProgress) -> None:
        self._send("PUT", "progress", progress)

    def commands(self, *, wait_seconds: int) -> list[Command]:
        """What waits for this device, as soon as there is something or after so long."""
        answer = self._client.exchange(
            "GET",
            f"/api/v1/device/commands?wait={wait_seconds}",
            self._tokens,
            patience_seconds=wait_seconds,
        )
        return msgspec.json.decode(answer, type=_Commands).commands

    def answer(self, command: Command, *, refused: str = "") -> None:
        """Say that a command was taken, or why not."""
        answer = _Answer("refused" if refused else "taken", refused)
        self._send("POST", f"commands/{command.id}", answer)

    def _send(self, method: str, path: str, told: msgspec.Struct) -> bytes:
        content = msgspec.json.encode(told)
        return self._client.exchange(
            method, f"/api/v1/device/{path}", self._tokens, content=content
        )


def fitting(text: str, length: int) -> str:
    """A text as the console takes it: names of files may hold bytes that are no text at all."""
    told = text.replace("\0", "").encode("utf-8", "backslashreplace").decode()
    return told if len(told) <= length else told[: length - 1] + "…"
