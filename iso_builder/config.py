"""What is built, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MEDIUM = Path(__file__).with_name("medium")
"""Files that go onto the medium as they are, and the scripts that prepare it."""

SUITE = "trixie"
PYTHON = "3.13"
"""The Python of that suite, for which the libraries are fetched."""

EPOCH = 1_754_697_600
"""Every time stamp on the medium: the day of the suite's release, in seconds since 1970.

A constant, so that the same inputs give the same bytes without anybody setting anything.
"""

VOLUME_LABEL = "EVERBOOT"
SERIAL_CHOICE = "everboot:serial"
"""Where a machine's firmware hands this over (SMBIOS type 11), the menu takes the serial port."""

SAFE_SERIAL_CHOICE = "everboot:safe-serial"
"""The same without graphics drivers."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where Debian's packages come from: addresses of its archive, as in ``sources.list``."""

    archive: str
    security: str = ""


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """``cache`` keeps the base. ``fresh`` makes that anew, with today's package versions."""

    output: Path
    cache: Path
    mirror: Mirror | None = None
    fresh: bool = False
