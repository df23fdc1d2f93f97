"""What the clock shows, and setting it, through systemd's timedatectl."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from backup_agent.errors import UsageError
from backup_agent.host.command import run

_SECONDS = 20.0
_FORMAT = "%Y-%m-%d %H:%M:%S"
_LAST_YEAR = 2099

EARLIEST = datetime(2025, 8, 9, tzinfo=UTC)
"""No right clock shows less: the release of the Debian that the medium is made of."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """``synchronised``: a time server was heard. ``by_network``: one is asked again and again."""

    synchronised: bool
    by_network: bool


def clock_state() -> ClockState:
    """Raises :class:`~backup_agent.errors.HostError`."""
    return parse_state(_timedatectl("show"))


def parse_state(text: str) -> ClockState:
    """``timedatectl show``: lines of name, equals sign, value."""
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return ClockState(found.get("NTPSynchronized") == "yes", found.get("NTP") == "yes")


def set_by_network() -> None:
    """Ask time servers from now on. Raises :class:`~backup_agent.errors.HostError`."""
    _timedatectl("set-ntp", "true")


def set_by_hand(moment: datetime) -> None:
    """``moment`` with its time zone; time servers are asked no more.

    The clock on the mainboard is set, too. Raises :class:`UsageError` for a time
    before the medium was made, :class:`~backup_agent.errors.HostError`.
    """
    if moment < EARLIEST or moment.year > _LAST_YEAR:
        raise UsageError(
            f"It cannot be {moment:%d %B %Y}: this rescue media was made later."
            if moment < EARLIEST
            else f"The year {moment.year} is too far ahead."
        )
    _timedatectl("set-ntp", "false")
    _timedatectl("set-time", moment.astimezone(UTC).strftime(_FORMAT))


def _timedatectl(*words: str) -> str:
    return run(["timedatectl", *words], timeout_seconds=_SECONDS).output.decode(errors="replace")
