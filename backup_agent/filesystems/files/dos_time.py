"""Times as FAT and exFAT keep them: two seconds fine, and on the wall clock of who wrote them."""

from __future__ import annotations

import calendar
import time

_NS_PER_HUNDREDTH = 10_000_000


def nanoseconds(
    date: int, clock: int, *, hundredths: int = 0, offset_quarters: int | None = None
) -> int:
    """Since 1970. ``date``: years since 1980 (7 bits), month, day; ``clock``: hours, minutes,
    two seconds; ``hundredths``: up to 199 more.

    ``offset_quarters``: that clock's quarters of an hour ahead of UTC; if nobody
    recorded them, it is taken for a clock of where this computer is. 0 for a date that is none.
    """
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    hour, minute, second = clock >> 11, clock >> 5 & 63, 2 * (clock & 31)
    if not (1 <= month <= 12 and day and hour < 24 and minute < 60 and second < 60):
        return 0
    if offset_quarters is None:
        seconds = int(time.mktime((year, month, day, hour, minute, second, 0, 1, -1)))
    else:
        seconds = calendar.timegm((year, month, day, hour, minute, second, 0, 1, 0))
        seconds -= 900 * offset_quarters
    return seconds * 1_000_000_000 + hundredths * _NS_PER_HUNDREDTH
