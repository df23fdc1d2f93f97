"""The JSON of disk restore points: what goes in comes out; what cannot be true is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backup_agent.errors import IntegrityError, UnsupportedVersionError
from backup_agent.format.disk_layout import (
    decode_layout,
    decode_machine,
    decode_volume,
    encode_layout,
    encode_machine,
    encode_volume,
)
from backup_agent.model.disk import (
    Area,
    AreaKind,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.model.machine import Firmware, Machine

MIB = 1 << 20
GPT = DiskLayout(
    size=8 * MIB,
    table=PartitionTable(
        kind=TableKind.GPT,
        sector_size=512,
        id="6F3C9D0E-2B1A-4C5D-8E7F-0123456789AB",
        partitions=(
            Partition(1, MIB, MIB, "TYPE", guid="GUID", name="Daten ü", attributes=1 << 63),
        ),
        primary=Extent(512, 33 * 512),
        backup=Extent(8 * MIB - 33 * 512, 33 * 512),
        flaws=("The two copies of the partition table differ; the first is believed.",),
        undivided=(2,),
    ),
    areas=(
        Area("head.img", AreaKind.HEAD, Extent(0, MIB)),
        Area("tail.img", AreaKind.TAIL, Extent(8 * MIB - 33 * 512, 33 * 512)),
    ),
    physical_sector_size=4096,
    model="A disk",
    serial="S/N 1",
)
MBR = DiskLayout(
    size=8 * MIB,
    table=PartitionTable(
        kind=TableKind.MBR,
        sector_size=512,
        id="deadbeef",
        partitions=(
            Partition(1, MIB, 4 * MIB, "0f", PartitionRole.EXTENDED),
            Partition(5, 2 * MIB, MIB, "07", PartitionRole.LOGICAL, attributes=0x80),
        ),
        links=(Extent(MIB, 512),),
    ),
    areas=(
        Area("head.img", AreaKind.HEAD, Extent(0, MIB)),
        Area("ebr-0.img", AreaKind.LINK, Extent(MIB, 512)),
    ),
)
UNDIVIDED = DiskLayout(size=MIB, table=PartitionTable(TableKind.NONE, 512), areas=())
VOLUME = Volume(
    number=2,
    start=MIB,
    size=3 << 30,
    file_system=FileSystem(FileSystemKind.NTFS, "Windows", "0123456789ABCDEF", 4096),
    drive_letter="C:",
    used_bytes=12345,
    left_out=("pagefile.sys",),
)


def changed(data: bytes, **fields: object) -> bytes:
    """The JSON with some of its fields replaced."""
    content: dict[str, Any] = {**json.loads(data), **fields}
    return json.dumps(content).encode()


@pytest.mark.parametrize("layout", [GPT, MBR, UNDIVIDED], ids=["gpt", "mbr", "none"])
def test_layout_comes_out_as_it_went_in(layout: DiskLayout) -> None:
    assert decode_layout(encode_layout(layout)) == layout


def test_volume_comes_out_as_it_went_in() -> None:
    assert decode_volume(encode_volume(VOLUME)) == VOLUME


def test_machine_comes_out_as_it_went_in() -> None:
    machine = Machine("büro", "Debian GNU/Linux 12 (bookworm)", Firmware.BIOS, "0.1.0")
    assert decode_machine(encode_machine(machine)) == machine


def test_layout_is_the_documented_json() -> None:
    written = json.loads(encode_layout(GPT))
    assert written["version"] == 1
    assert written["partitions"][0] == {
        "number": 1,
        "start": MIB,
        "size": MIB,
        "type": "TYPE",
        "role": "primary",
        "guid": "GUID",
        "name": "Daten ü",
        "attributes": "0x8000000000000000",
    }
    assert written["areas"][0] == {"file": "head.img", "kind": "head", "start": 0, "size": MIB}


def test_fields_of_newer_programs_are_passed_over() -> None:
    assert decode_volume(changed(encode_volume(VOLUME), colour="red")) == VOLUME


def test_newer_version_is_refused() -> None:
    with pytest.raises(UnsupportedVersionError, match="version 2"):
        decode_layout(changed(encode_layout(GPT), version=2))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": 4 * MIB}, "behind the disk's end"),
        ({"size": -1}, "cannot be read"),
        ({"table": "apm"}, "cannot be read"),
        ({"table": "none"}, "without a partition table has partitions"),
        ({"sector_size": 0}, "cannot be read"),
        ({"partitions": json.loads(encode_layout(GPT))["partitions"] * 2}, "same number"),
        ({"areas": [{"file": "../x", "kind": "head", "start": 0, "size": 9}]}, "none of a disk's"),
        ({"areas": [{"file": "head.img", "kind": "head", "start": 0, "size": 2 * MIB}]}, "overlap"),
    ],
)
def test_layout_that_cannot_be_true_is_an_integrity_error(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises(IntegrityError, match=words):
        decode_layout(changed(encode_layout(GPT), **fields))


@pytest.mark.parametrize("size", [0, 1000, -MIB])
def test_volume_with_impossible_parts_is_an_integrity_error(size: int) -> None:
    with pytest.raises(IntegrityError, match=r"volume\.json cannot be read"):
        decode_volume(changed(encode_volume(VOLUME), part_size=size))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"version": 1}'])
def test_what_is_no_layout_is_an_integrity_error(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"layout\.json cannot be read"):
        decode_layout(data)
