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
        # Shorter codes first, and among those of one length in the order of their symbols.
        used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
        missing = (1 << self.width) - sum(1 << (self.width - length) for length, _ in used)
        if missing < 0 or (missing and len(used) > 1):
            raise ValueError("code lengths that do not add up")
        self.table: list[int] = []
        for length, symbol in used:
            self.table += [symbol << 5 | length] * (1 << (self.width - length))
        self.table += [0] * missing
