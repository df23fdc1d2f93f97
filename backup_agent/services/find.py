"""Finding files by name in a restore point."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator

from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.browse import Found, Step, TreePath, Unreachable


class NamePattern:
    """A shell pattern for names, or for whole paths if it has a slash."""

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        """Raises ``UsageError`` for a pattern with a ``[`` that nothing closes."""
        _refuse_open_bracket(pattern)
        flags = re.IGNORECASE if ignore_case else 0
        self._matcher = re.compile(fnmatch.translate(pattern), flags)
        self._on_path = "/" in pattern

    def may_fit(self, name: bytes) -> bool:
        """Whether something of this name may fit; where it stands decides the rest."""
        return self._on_path or self._matcher.match(os.fsdecode(name)) is not None

    def fits(self, path: TreePath) -> bool:
        if not self._on_path:
            return self.may_fit(path[-1])
        return self._matcher.match(os.fsdecode(b"/" + b"/".join(path))) is not None


def find_files(
    steps: Iterable[Step], pattern: NamePattern, *, cancel: CancelToken
) -> Iterator[Found | Unreachable]:
    """Items that fit the pattern, out of a browser's walk, which says where is looked: one with
    ``pattern.may_fit`` is the quickest.
    """
    for step in steps:
        cancel.raise_if_cancelled()
        if isinstance(step, Unreachable) or (not step.leaving and pattern.fits(step.path)):
            yield step


def _refuse_open_bracket(pattern: str) -> None:
    # fnmatch would look for the character itself, and who mistyped a set would find nothing.
    start = pattern.find("[")
    while start >= 0:
        # The first character of a set, behind a !, may be the ] itself.
        first = start + 2 if pattern.startswith("!", start + 1) else start + 1
        end = pattern.find("]", first + 1)
        if end < 0:
            raise UsageError(
                f"In the pattern {pattern} a [ is not closed.",
                hint="For the character itself write [[].",
            )
        start = pattern.find("[", end + 1)
