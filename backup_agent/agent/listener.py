"""Fetching what people ask of this device in the console."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from backup_agent.agent.courier import pause_after
from backup_agent.errors import JobCancelledError, LinkError, LinkRefusedError, StorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.link.reports import Command, ReportChannel

Obey: TypeAlias = Callable[[Command], str]
"""Take a command; an empty answer, or why it is refused."""

_WAIT_SECONDS = 25
_REMEMBERED = 1000


class Listener:
    """``run`` is the body of a thread. Each command is obeyed once, however often it is told."""

    def __init__(self, channel: ReportChannel, obey: Obey, *, cancel: CancelToken) -> None:
        self._channel = channel
        self._obey = obey
        self._cancel = cancel
        self._answers: OrderedDict[str, str] = OrderedDict()

    def run(self) -> None:
        """Until it is cancelled, or the console knows this device no longer."""
        failures = 0
        while True:
            try:
                self.listen(wait_seconds=_WAIT_SECONDS)
                failures = 0
                self._cancel.raise_if_cancelled()
            except (JobCancelledError, LinkRefusedError):
                return
            except (StorageError, LinkError):
                failures += 1
                try:
                    self._cancel.wait(pause_after(failures))
                except JobCancelledError:
                    return

    def listen(self, *, wait_seconds: int) -> None:
        """Once. Raises as ``ReportChannel``."""
        for command in self._channel.commands(wait_seconds=wait_seconds):
            if command.id not in self._answers:
                # Obeyed before it is told: an answer that gets lost is given again.
                self._answers[command.id] = self._obey(command)
            self._channel.answer(command, refused=self._answers[command.id])
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
