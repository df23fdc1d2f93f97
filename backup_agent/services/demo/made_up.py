"""Content for files that nobody wrote: the same for the same seed."""

from __future__ import annotations

import random

_WORDS = (
    *("the", "a", "of", "and", "to", "in", "it", "was", "that", "by", "with", "from", "for"),
    *("river", "house", "letter", "morning", "winter", "bread", "table", "garden", "street"),
    *("friend", "market", "window", "paper", "station", "mountain", "her", "his", "they", "we"),
)
_WORDS_A_LINE = 12


def random_source(seed: int) -> random.Random:
    """Where all that is made up comes from; its ``randbytes`` is noise to any compressor."""
    return random.Random(seed)  # noqa: S311 - content to back up, never a secret


def prose(source: random.Random, *, words: int) -> str:
    """Text that compresses like text."""
    lines = (
        " ".join(source.choices(_WORDS, k=_WORDS_A_LINE)) for _ in range(words // _WORDS_A_LINE)
    )
    return "\n".join(lines) + "\n"
