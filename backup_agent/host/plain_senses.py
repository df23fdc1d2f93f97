"""Senses for a system that nobody has taught to tell: they know the time, and nothing else."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from backup_agent.host.senses import MountedFileSystem


class PlainSenses:
    """See :class:`~backup_agent.host.senses.Senses`."""

    def on_battery(self) -> bool | None:
        return None

    def metered(self) -> bool | None:
        return None

    def idle_seconds(self) -> float | None:
        return None

    def zone(self) -> tzinfo:
        return SystemZone()

    def mounted_at(self, file_system: str) -> Path | None:
        del file_system
        return None

    def file_system_of(self, path: Path) -> MountedFileSystem | None:
        del path
        return None


class SystemZone(tzinfo):
    """The zone of the C library, which every system has, summer time included."""

    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        return timedelta(seconds=_local(moment).tm_gmtoff)

    def dst(self, moment: datetime | None, /) -> timedelta:
        return timedelta(hours=1 if _local(moment).tm_isdst > 0 else 0)

    def tzname(self, moment: datetime | None, /) -> str:
        return _local(moment).tm_zone

    def fromutc(self, moment: datetime, /) -> datetime:
        local = moment.replace(tzinfo=UTC).astimezone()
        return local.replace(tzinfo=self)


def _local(moment: datetime | None) -> time.struct_time:
    if moment is None:
        return time.localtime()
    # A naive datetime counts as local time, in which the C library finds its way.
    return time.localtime(moment.replace(tzinfo=None).timestamp())
