"""Whether this device is linked to a console: it may be, or be unlinked, while the agent runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from backup_agent.errors import LinkError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.services.link.identity import identity_file, load
from backup_agent.services.link.reports import ReportChannel

OpenLine: TypeAlias = Callable[[CancelToken], None]
"""Speak with the console until it is cancelled. Raises ``LinkError``."""


class ConsoleLink:
    """Looks at the device's identity time and again; a changed one is another link."""

    def __init__(self, file: Path, *, open_line: OpenLine, emit: Emit) -> None:
        self._file = file
        self._open_line = open_line
        self._emit = emit
        self._known = 0
        self._line = CancelToken()

    def look(self) -> None:
        """Begin or end to speak with the console, if that has changed."""
        changed_at = self._changed_at()
        if changed_at == self._known:
            return
        self._known = changed_at
        self.close()
        self._line = CancelToken()
        if not changed_at:
            return
        try:
            self._open_line(self._line)
        except LinkError as exc:
            self._emit(Notice(f"{exc.message} {exc.hint}"))

    def close(self) -> None:
        """Speak no more."""
        self._line.cancel()

    @property
    def is_there(self) -> bool:
        return bool(self._changed_at())

    def address(self) -> str:
        """The console's; empty without one, and where the identity is damaged."""
        try:
            return load(self._file).console.address
        except LinkError:
            return ""

    def _changed_at(self) -> int:
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return 0


def console_channel(environment: Mapping[str, str], cacert: Path | None = None) -> ReportChannel:
    """The way to the console of this device. ``cacert``: whom to trust, if not whom it was linked
    with. Raises ``LinkError``.
    """
    from backup_agent.services.link.console import ConsoleClient
    from backup_agent.services.link.tokens import DeviceTokens

    identity = load(identity_file(environment))
    console = identity.console
    if cacert is not None:
        console = replace(console, cacert=cacert)
    client = ConsoleClient(console, identity.key, environment)
    return ReportChannel(client, DeviceTokens(client))
