"""The computer that a restore point was made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Firmware(StrEnum):
    """How the computer starts: a restored disk must be able to start the same way."""

    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True)
class Machine:
    """Texts as the computer itself gives them; empty where unknown."""

    hostname: str
    operating_system: str
    firmware: Firmware
    tool_version: str
