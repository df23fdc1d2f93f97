"""How long each part of the checks took, and whether all of it is still bearable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Whoever waits longer than this goes and does something else, and runs the checks less often.
LIMIT_MINUTES = 40


@dataclass(slots=True)
class Stopwatch:
    """Seconds of each part, in the order in which the parts were run."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.parts[part] = time.monotonic() - started

    def __str__(self) -> str:
        """A line for each part, the longest first, then one for all; a warning where it is due."""
        total = sum(self.parts.values())
        longest_first = sorted(self.parts.items(), key=lambda part: -part[1])
        lines = [f"{seconds:7.0f} s  {part}" for part, seconds in longest_first]
        lines.append(f"{total:7.0f} s  everything")
        if total > LIMIT_MINUTES * 60:
            lines.append(
                f"Warning: that is more than {LIMIT_MINUTES} minutes. Make the longest part"
                " shorter: CONTRIBUTING.md says how tests stay quick."
            )
        return "\n".join(lines)
