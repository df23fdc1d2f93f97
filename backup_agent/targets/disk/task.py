"""What a plan is made from: the stored disk, the target, and a person's wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backup_agent.model.disk import Disk, DiskLayout
from backup_agent.targets.disk.facts import VolumeFacts


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for beyond the mapping. ``shrink`` is a volume's number."""

    grow: bool = False
    shrink: int | None = None
    new_ids: bool = False
    discard: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What goes where. ``target_start`` is where a target partition begins on its disk.

    ``creates``: the target is an image file that is to be made, or made anew.
    ``is_hybrid``: the disk's MBR names partitions of its own, beside its GPT.
    """

    source: str
    content: str
    layout: DiskLayout
    facts: Mapping[int, VolumeFacts]
    target: Disk
    creates: bool = False
    target_start: int | None = None
    is_hybrid: bool = False

    @property
    def sector_size(self) -> int:
        """The target's; an image file takes the sectors of the stored disk."""
        return self.target.sector_size or self.layout.table.sector_size
