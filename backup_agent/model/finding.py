"""What looking after a repository found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """Whether anything is lost."""

    ERROR = "error"
    """Something a restore point needs, or may need, is damaged or missing."""
    HINT = "hint"
    """Untidy, and harmless: the next prune cleans it up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``file`` is the path in the repository of what is concerned."""

    severity: Severity
    file: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.told}"

    @property
    def told(self) -> str:
        """The message with the file's name, which some messages begin with already."""
        named = self.message.startswith(self.file)
        return self.message if named else f"{self.file}: {self.message}"


def error(file: str, message: str, *, hint: str = "") -> Finding:
    return Finding(Severity.ERROR, file, message, hint)


def hint(file: str, message: str) -> Finding:
    return Finding(Severity.HINT, file, message)
