"""What a person should know of a plan before saying yes, in whole sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backup_agent.model.disk import DiskLayout, Extent, FileSystemKind, PartitionRole, TableKind
from backup_agent.targets.disk.facts import VolumeFacts
from backup_agent.targets.disk.plan import name_of


@dataclass(frozen=True, slots=True)
class Changes:
    """What a plan changes. ``places`` lacks the volumes that are left out."""

    layout: DiskLayout
    facts: tuple[VolumeFacts, ...]
    places: Mapping[int, Extent]
    sector_size: int
    whole_disk: bool
    new_ids: bool
    wanted_growth: bool
    blocked_by: int | None
    target_size: int
    makes_table: bool
    """Whether the partition table is made anew, or else written as it was stored."""
    loses_hybrid_record: bool = False

    @property
    def restored(self) -> Iterator[tuple[VolumeFacts, Extent]]:
        for facts in self.facts:
            if place := self.places.get(facts.volume.number):
                yield facts, place

    def is_resized(self, facts: VolumeFacts) -> bool:
        place = self.places[facts.volume.number]
        return abs(place.size - facts.volume.size) >= self.sector_size


def notes_on(changes: Changes) -> tuple[str, ...]:
    notes = [*_resized(changes), *_sectors(changes), *_growth(changes)]
    if changes.whole_disk:
        notes += [*_left_out(changes), *_moved(changes), *_outside(changes), *_ids(changes)]
    return tuple(notes)


def _resized(changes: Changes) -> Iterator[str]:
    for facts, _ in changes.restored:
        if facts.kind is FileSystemKind.NTFS and changes.is_resized(facts):
            yield (
                f"Windows will check {name_of(facts.volume)} (chkdsk) when it first starts:"
                " its size has changed."
            )


def _sectors(changes: Changes) -> Iterator[str]:
    for facts, _ in changes.restored:
        if facts.sector_size is not None and facts.sector_size > changes.sector_size:
            yield (
                f"{name_of(facts.volume)} was made for sectors of {facts.sector_size} bytes, the"
                f" target has {changes.sector_size}: Linux reads it, Windows may not."
            )


def _growth(changes: Changes) -> Iterator[str]:
    if not changes.wanted_growth:
        return
    grown = [f for f, place in changes.restored if place.size - f.volume.size >= 1 << 20]
    if changes.blocked_by is not None:
        yield (
            f"Volume {changes.blocked_by} stays where it is (on a disk with an MBR, Windows finds"
            " its partitions by their start), so nothing grows beyond it."
        )
    if not grown:
        yield f"Nothing grows: {_why_nothing_grows(changes.facts)}"


def _why_nothing_grows(volumes: Sequence[VolumeFacts]) -> str:
    if any(facts.is_resizable for facts in volumes):
        return "there is no room behind the last volume that could."
    if clustered := [name_of(facts.volume) for facts in volumes if facts.has_clusters]:
        return (
            f"resize2fs is not safe with the feature bigalloc, which {', '.join(clustered)} has."
            " Only NTFS and ext without it can."
        )
    return "only NTFS and ext can, and there is none."


def _left_out(changes: Changes) -> Iterator[str]:
    for facts in changes.facts:
        if facts.volume.number not in changes.places:
            yield (
                f"{name_of(facts.volume)} is LEFT OUT: it may not be moved on a disk with an MBR,"
                " and its place is behind the target's end. Windows starts without it, but the"
                " repair environment is gone (reagentc /info tells; its files stay in the restore"
                " point)."
            )


def _moved(changes: Changes) -> Iterator[str]:
    moved = [f for f, place in changes.restored if place.start != f.volume.start]
    if moved:
        names = ", ".join(name_of(facts.volume) for facts in moved)
        yield f"Other start on the disk: {names}. What finds them by GUID or UUID still does."


def _outside(changes: Changes) -> Iterator[str]:
    table = changes.layout.table
    same_size = changes.target_size == changes.layout.size
    if table.kind is TableKind.GPT and table.flaws:
        end = (
            "Both copies are made anew from what could be read."
            if changes.makes_table
            else "It comes back as it was: a partition lies where a whole one would have to be."
        )
        yield f"The disk's partition table had flaws: {' '.join(table.flaws)} {end}"
    if table.kind is TableKind.MBR and not same_size:
        yield (
            "The disk's last MiB is not copied to a disk of another size: a dynamic disk of"
            " Windows or an old RAID would not be recognised."
        )
    if changes.sector_size != table.sector_size:
        yield (
            f"The sectors change from {table.sector_size} to {changes.sector_size} bytes: boot"
            " code for BIOS will not work, UEFI starts from the EFI partition."
        )
    if changes.loses_hybrid_record:
        yield (
            "The disk's MBR is a hybrid: besides protecting the GPT, it names partitions. The new"
            " one only protects: a system that was started by it (Windows beside macOS, a BIOS"
            " that knows no GPT) does not start from this copy before gdisk has made it anew."
        )
    lost = [p for p in table.partitions if p.role is PartitionRole.LOGICAL]
    if lost and any(p.number not in changes.places for p in lost):
        yield "Logical partitions behind one that is left out get lower numbers."


def _ids(changes: Changes) -> Iterator[str]:
    gpt = changes.layout.table.kind is TableKind.GPT
    if not changes.new_ids:
        yield (
            "The copy has the ids of the original disk. Do not start Windows with both attached:"
            " it takes one of them offline (--new-guids gives new ids)."
        )
    elif gpt:
        yield (
            "The disk and its partitions get new GUIDs. Windows' boot configuration (BCD) names"
            " the old ones: this copy does not start before bcdboot has renewed it; an entry in"
            " the firmware's boot menu that names the old EFI partition does not find it either."
        )
    else:
        yield (
            "The disk gets a new signature. Windows' boot configuration (BCD) names the old one:"
            " this copy does not start before bcdboot or bootrec has renewed it."
        )
