"""Mutated tables end as a table that holds together or as no table: never otherwise."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backup_agent.errors import SourceError
from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.model.disk import Disk, contradiction
from tests.helpers.disk_images import MIB, make_disk, make_volume, reseal_gpt

SCRIPTS = {
    "gpt": "label: gpt\nstart=1MiB, size=1MiB\nstart=2MiB, size=1MiB\n",
    "mbr": "label: dos\nstart=1MiB, size=1MiB, type=f\nstart=1088KiB, size=128KiB\n"
    "start=1344KiB, size=128KiB\nstart=2MiB, size=1MiB\n",
}
# Where the tables' bytes are: sector 0, the GPT's header and first entries, the chain's links.
INTERESTING = {
    "gpt": [*range(446, 512), *range(512, 604), *range(1024, 1280), *range(4 * MIB - 512, 4 * MIB)],
    "mbr": [
        *range(446, 512),
        *range(MIB + 446, MIB + 512),
        *range(MIB + 192 * 1024 + 446, MIB + 193 * 1024),
    ],
}
BYTES = st.one_of(st.sampled_from([0, 1, 2, 5, 0x0F, 0x7F, 0x80, 0xEE, 0xFF]), st.integers(0, 255))
FEW = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@functools.cache
def pristine(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make_disk(Path(folder) / "disk", 4 * MIB, SCRIPTS[kind]).read_bytes()


@functools.cache
def pristine_volume(command: tuple[str, ...], size: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make_volume(Path(folder) / "volume", size, command)


def survives(data: bytes | bytearray, sector_size: int | None) -> None:
    disk = Disk(path="disk", identity="/disk", size=len(data), sector_size=sector_size)
    reader = io.BytesIO(data)
    try:
        layout = read_layout(reader, disk, sector_size=sector_size)
    except SourceError:
        assert len(data) < 4096
        return
    assert not contradiction(layout.table, len(data))
    for volume in read_volumes(reader, layout):
        assert 0 <= volume.start < volume.extent.end <= len(data)
    for area in layout.areas:
        assert 0 <= area.extent.start < area.extent.end <= len(data)


@FEW
@given(data=st.data(), kind=st.sampled_from(["gpt", "mbr"]), reseal=st.booleans())
def test_mutated_tables_are_read_or_taken_as_a_whole(
    data: st.DataObject, kind: str, reseal: bool
) -> None:
    disk = bytearray(pristine(kind))
    places = st.sampled_from(INTERESTING[kind])
    for where, value in data.draw(st.lists(st.tuples(places, BYTES), max_size=12)):
        disk[where] = value
    if reseal and kind == "gpt":
        reseal_gpt(disk)
    survives(disk, data.draw(st.sampled_from([None, 512, 4096])))


@FEW
@given(size=st.integers(0, 4 * MIB), kind=st.sampled_from(["gpt", "mbr"]))
def test_cut_off_disks_are_read_or_taken_as_a_whole(size: int, kind: str) -> None:
    survives(pristine(kind)[:size], None)


@FEW
@given(data=st.binary(max_size=8192))
def test_any_bytes_are_read_or_taken_as_a_whole(data: bytes) -> None:
    survives(data + b"\x55\xaa", None)


@FEW
@given(
    command=st.sampled_from(
        [
            (("mkntfs", "-qfF", "-L", "name"), 2 * MIB),
            (("mkfs.fat", "-n", "NAME"), 1 * MIB),
            (("mkfs.exfat", "-L", "name"), 4 * MIB),
            (("mkfs.ext4", "-q", "-L", "name"), 1 * MIB),
        ]
    ),
    changes=st.lists(st.tuples(st.integers(0, 2047), BYTES), max_size=12),
    cut=st.none() | st.integers(0, 70_000),
)
def test_mutated_file_systems_are_recognised_or_unknown(
    command: tuple[tuple[str, ...], int], changes: list[tuple[int, int]], cut: int | None
) -> None:
    volume = bytearray(pristine_volume(*command))
    for where, value in changes:
        volume[where] = value
    survives(volume[:cut], None)
