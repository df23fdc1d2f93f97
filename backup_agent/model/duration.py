"""A stretch of calendar time as people say it for retention: ``1y2m3d4h``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backup_agent.errors import UsageError

_PART = re.compile(r"(\d{1,6})([ymdh])", re.ASCII)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Duration:
    """Years and months have no fixed length, so this is no ``timedelta``."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """``1y2m3d4h``; parts in any order, each at most once. Raises :class:`UsageError`."""
        parts = _PART.findall(text)
        numbers = {unit: int(number) for number, unit in parts}
        if not parts or len(numbers) < len(parts) or "".join(map("".join, parts)) != text:
            raise UsageError(
                f"{text!r} is no duration.",
                hint="Write years, months, days and hours like this: 1y6m, 14d, 2d12h.",
            )
        return cls(
            years=numbers.get("y", 0),
            months=numbers.get("m", 0),
            days=numbers.get("d", 0),
            hours=numbers.get("h", 0),
        )

    def __bool__(self) -> bool:
        return self != Duration()

    def __str__(self) -> str:
        parts = ((self.years, "y"), (self.months, "m"), (self.days, "d"), (self.hours, "h"))
        return "".join(f"{number}{unit}" for number, unit in parts if number)

    def before(self, moment: datetime) -> datetime:
        """That long before the moment, in its time zone; at the earliest the year 1.

        A day that the month does not have runs over into the next one, as in
        restic: a month before 31 March is 3 March (28 + 3).
        """
        month = (moment.year - self.years) * 12 + moment.month - 1 - self.months
        try:
            first = moment.replace(year=month // 12, month=month % 12 + 1, day=1)
            return first + timedelta(days=moment.day - 1 - self.days, hours=-self.hours)
        except (OverflowError, ValueError):
            return _EARLIEST
