"""How a plan draws a disk."""

from __future__ import annotations

from backup_agent.cli.disk_plan_words import layout_lines
from backup_agent.model.disk import Extent, TableKind
from backup_agent.targets.disk.plan import DiskPicture, Placed

MIB = 1 << 20


def picture(*placed: tuple[int, int, int], extended: Placed | None = None) -> DiskPicture:
    """A disk of 64 MiB: a MiB is a column. Number, start and end of each volume."""
    volumes = tuple(Placed(n, Extent(a * MIB, (b - a) * MIB), "ext4") for n, a, b in placed)
    return DiskPicture(64 * MIB, 512, TableKind.MBR, volumes, extended)


def bar(drawn: DiskPicture) -> str:
    return layout_lines(drawn, drawn)[1].strip()


def test_volumes_and_free_space_stand_in_proportion() -> None:
    assert bar(picture((1, 0, 16), (2, 32, 64))) == (
        "|1              " + "." * 16 + "|2" + " " * 30 + "|"
    )


def test_logical_partitions_stand_inside_the_extended_one() -> None:
    extended = Placed(2, Extent(16 * MIB, 32 * MIB), "extended")
    assert bar(picture((1, 0, 16), (5, 20, 30), (6, 30, 40), extended=extended)) == (
        "|1              [2..|5        |6        ........]" + "." * 15 + "|"
    )


def test_extended_partition_without_logical_ones_is_drawn() -> None:
    extended = Placed(1, Extent(MIB, 32 * MIB), "extended")
    assert bar(picture(extended=extended)) == "." + "[1" + "." * 30 + "]" + "." * 30 + "|"


def test_volumes_too_small_for_a_column_are_still_seen() -> None:
    assert bar(picture((1, 0, 1), (12, 1, 2), (3, 2, 64))).startswith("|1 |12|3  ")
