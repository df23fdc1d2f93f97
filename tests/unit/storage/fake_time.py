"""Time that passes only when somebody waits."""

from __future__ import annotations


class FakeTime:
    """A clock and a wait that belong together; ``pauses`` lists what was waited."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
