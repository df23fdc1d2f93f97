"""What a restore point does not hold although it should."""

from __future__ import annotations

from dataclasses import dataclass

from backup_agent.model.disk import Extent


@dataclass(frozen=True, slots=True)
class Omission:
    """One item left out, or kept in doubt.

    ``during``: ``scan`` (left out with all below it), ``read`` (content could
    not be read; left out, or with zeros in the ``ranges`` of its bytes) or
    ``change`` (kept as it was read, but it changed meanwhile).
    """

    path: bytes
    reason: str
    during: str
    ranges: tuple[Extent, ...] = ()
