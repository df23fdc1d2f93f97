"""Damaged partition tables: every byte is saved, and what can be mended comes back whole."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.model.disk import Extent
from backup_agent.sources.disk import open_disk_source
from backup_agent.targets.disk.plan import RestorePlan, WriteTable
from tests.helpers.disk_checks import examine, require_clean
from tests.helpers.disk_images import MIB, make_disk, place, reseal_gpt
from tests.helpers.fake_host import FakeHost
from tests.helpers.restored_disk import restore_disk
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles

SIZE = 8 * MIB
GPT = """\
label: gpt
label-id: 6F3C9D0E-2B1A-4C5D-8E7F-0123456789AB
start=1MiB, size=2MiB, type=U, name="EFI"
start=4MiB, size=3MiB, type=L, attrs="GUID:63"
"""
MBR = """\
label: dos
start=1MiB, size=1MiB, type=7, bootable
start=2MiB, size=5MiB, type=f
start=3MiB, size=1MiB, type=83
start=5MiB, size=1MiB, type=b
"""


def make_full(folder: Path, script: str) -> Path:
    """A disk with boot code, and noise in its partitions and between them."""
    image = make_disk(folder / "disk.img", SIZE, script)
    table = image.read_bytes()
    noise = random.Random(7)
    for number in (1, 2, 4, 5, 6):
        place(image, number * MIB + 4096, noise.randbytes(MIB - 8192))
    place(image, 0, b"boot code")
    place(image, MIB // 2, b"second stage of the boot loader")
    assert image.read_bytes()[440:512] == table[440:512]
    return image


def back_up_and_restore(
    image: Path, target: Path, *bad: Extent
) -> tuple[CollectedFiles, RestorePlan]:
    source = open_disk_source(FakeHost(bad=bad), [str(image)])
    collected = CollectedFiles(source)
    source.close()
    return collected, restore_disk(CollectedDisk(collected.files), target)


def damage(image: Path, *places: int) -> None:
    """Other bytes than there were, in the first 16 from each of the places on."""
    data = bytearray(image.read_bytes())
    for start in places:
        data[start : start + 16] = bytes(byte ^ 0x5A for byte in data[start : start + 16])
    image.write_bytes(data)


def make_copies_differ(image: Path) -> None:
    """The second copy is another disk's: it ends partition 2 earlier."""
    other = make_disk(image.with_suffix(".other"), SIZE, GPT.replace("3MiB", "2MiB"))
    place(image, SIZE - 33 * 512, other.read_bytes()[-33 * 512 :])


def wipe_sector_0(image: Path) -> None:
    place(image, 0, bytes(512))


FLAWS: dict[str, Callable[[Path], None]] = {
    "first signature": lambda image: damage(image, 512),
    "first checksum": lambda image: damage(image, 512 + 56),
    "first entries": lambda image: damage(image, 1024 + 32),
    "second signature": lambda image: damage(image, SIZE - 512),
    "second checksum": lambda image: damage(image, SIZE - 512 + 56),
    "copies that differ": make_copies_differ,
    "no protective MBR": wipe_sector_0,
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_gpt_that_was_known_comes_back_whole_on_a_disk_of_the_same_size(
    tmp_path: Path, flaw: str
) -> None:
    image = make_full(tmp_path, GPT)
    known = examine(image).layout.table
    FLAWS[flaw](image)
    flaws = examine(image).layout.table.flaws
    _, plan = back_up_and_restore(image, target := tmp_path / "back.img")
    assert any(isinstance(action, WriteTable) for action in plan.actions)
    (note,) = (note for note in plan.notes if "partition table" in note)
    assert " ".join(flaws) in note
    assert note.endswith("Both copies are made anew from what could be read.")
    restored = require_clean(target, tmp_path).layout.table
    assert (restored.id, restored.partitions) == (known.id, known.partitions)
    assert holds_the_same(target, image, restored.partitions[0].extent)
    assert holds_the_same(target, image, restored.partitions[1].extent)
    assert holds_the_same(target, image, Extent(MIB // 2, MIB // 2))


@pytest.mark.parametrize("bad", [Extent(0, 512), Extent(512, 512), Extent(SIZE - 512, 512)])
def test_gpt_with_a_sector_that_cannot_be_read_comes_back_whole(
    tmp_path: Path, bad: Extent
) -> None:
    image = make_full(tmp_path, GPT)
    known = examine(image).layout.table
    collected, plan = back_up_and_restore(image, target := tmp_path / "back.img", bad)
    assert any("cannot be read" in note and "made anew" in note for note in plan.notes)
    restored = require_clean(target, tmp_path).layout.table
    assert (restored.id, restored.partitions) == (known.id, known.partitions)
    if bad.start:
        assert target.read_bytes() == image.read_bytes()
    else:
        assert collected.unreadable == {"/disks/0/head.img": [bad]}


def test_table_that_cannot_be_whole_for_a_partition_in_its_way_comes_back_as_it_was(
    tmp_path: Path,
) -> None:
    image = make_disk(tmp_path / "disk.img", SIZE, GPT)
    # The first copy alone is left, with a partition up to the disk's last sector.
    data = bytearray(image.read_bytes())
    struct.pack_into("<Q", data, 1024 + 128 + 40, SIZE // 512 - 1)
    reseal_gpt(data)
    data[4 * MIB :] = random.Random(3).randbytes(4 * MIB)
    image.write_bytes(data)
    _, plan = back_up_and_restore(image, target := tmp_path / "back.img")
    assert any("It comes back as it was" in note for note in plan.notes)
    assert target.read_bytes() == data


@pytest.mark.parametrize("link", [0, 1])
@pytest.mark.parametrize("how", ["wiped", "unreadable"])
def test_logical_partitions_come_back_though_their_chain_is_broken(
    tmp_path: Path, link: int, how: str
) -> None:
    image = make_full(tmp_path, MBR)
    whole = examine(image).layout.table
    sector, whole_bytes = whole.links[link], image.read_bytes()[whole.links[link].start :][:512]
    bad = [sector] if how == "unreadable" else []
    if not bad:
        place(image, sector.start, bytes(512))
    collected, _ = back_up_and_restore(image, target := tmp_path / "back.img", *bad)
    assert "Extended partition 2 is taken as a whole" in collected.changed["/disks/0/layout.json"]
    expected = bytearray(image.read_bytes())
    expected[sector.start : sector.end] = bytes(512)
    assert target.read_bytes()[2 * MIB : 7 * MIB] == expected[2 * MIB : 7 * MIB]
    # Whoever mends the link has all partitions again.
    place(target, sector.start, whole_bytes)
    assert examine(target).layout.table == whole


def test_disk_with_two_damaged_gpt_copies_comes_back_byte_for_byte(tmp_path: Path) -> None:
    image = make_full(tmp_path, GPT)
    damage(image, 512, SIZE - 512)
    collected, _ = back_up_and_restore(image, target := tmp_path / "back.img")
    assert (
        "Both copies of the partition table are damaged"
        in (collected.changed["/disks/0/layout.json"])
    )
    assert target.read_bytes() == image.read_bytes()


def holds_the_same(one: Path, other: Path, extent: Extent) -> bool:
    return (
        one.read_bytes()[extent.start : extent.end]
        == (other.read_bytes()[extent.start : extent.end])
    )
