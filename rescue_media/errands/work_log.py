"""What was done here, line by line, so that it can be kept and shown to others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backup_agent.errors import TargetError
from backup_agent.model.events import Emit, Event, ItemSkipped, Notice

_MOST_LINES = 100_000


def _now() -> datetime:
    return datetime.now(UTC)


class WorkLog:
    """In memory until it is saved; of very much news the oldest goes."""

    def __init__(self, *, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self._lines: list[str] = []

    def listening(self, emit: Emit) -> Emit:
        """``emit``, and what is worth a line is kept, too."""

        def tell(event: Event) -> None:
            self.hear(event)
            emit(event)

        return tell

    def hear(self, event: Event) -> None:
        match event:
            case Notice(message):
                self.add(message)
            case ItemSkipped(path, reason):
                self.add(f"Left out: {path}: {reason}")

    def add(self, sentence: str) -> None:
        self._lines.append(f"{self._now():%Y-%m-%d %H:%M:%SZ} {sentence}")
        del self._lines[:-_MOST_LINES]

    def save(self, file: Path) -> None:
        """Raises ``TargetError``."""
        try:
            file.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
        except OSError as exc:
            raise TargetError(
                f"The log cannot be saved to {file}: {exc.strerror}.", hint="Name another file."
            ) from exc
