"""Canonical prefix codes, as LZX and XPRESS store them: by the length of each symbol's code."""

from __future__ import annotations

from collections.abc import Sequence


class PrefixCode:
    """The next ``width`` bits index ``table``: ``symbol << 5 | length``, 0 for no symbol.

    Raises ``ValueError`` for lengths that do not add up. No symbol at all, or a single
    one, is no damage: compressors leave such codes where they are not used.
    """

    __slots__ = ("table", "width")

    def __init__(self, lengths: Sequence[int]) -> None:
        self.width = max(lengths) or 1
        self.table: list[int] = []
        symbols = 0
        for length in range(1, self.width + 1):
            span = 1 << (self.width - length)
            for symbol, own in enumerate(lengths):
                if own == length:
                    self.table += [symbol << 5 | length] * span
                    symbols += 1
        missing = (1 << self.width) - len(self.table)
        if missing < 0 or (missing and symbols > 1):
            raise ValueError("code lengths that do not add up")
        self.table += [0] * missing
