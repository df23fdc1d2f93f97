"""Time that passes only when somebody sleeps."""

from __future__ import annotations


class FakeTime:
    """A clock and a sleep that belong together; ``pauses`` lists what was slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
