"""Mutated file systems end as an account that holds together or as a whole volume with a remark."""

from __future__ import annotations

import errno
import functools
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backup_agent.filesystems.recognise import recognise
from backup_agent.filesystems.used.survey import VolumeSurvey, survey_volume
from backup_agent.model.disk import FileSystemKind, Volume
from tests.helpers.disk_images import MIB
from tests.helpers.volumes import make_file_system

KIB = 1024
# Command, size, and where the bytes are that an account of space is read from.
VOLUMES = {
    "ntfs": (("mkntfs", "-qfF"), 4 * MIB, [range(512), range(16 * KIB, 28 * KIB)]),
    "ntfs-512": (("mkntfs", "-qfF", "-c", "512"), 2 * MIB, [range(512), range(16 * KIB, 28 * KIB)]),
    "fat12": (("mkfs.fat", "-F12"), MIB, [range(64), range(510, 1600)]),
    "fat32": (("mkfs.fat", "-F32", "-s1"), 2 * MIB, [range(96), range(16 * KIB, 17 * KIB)]),
    "exfat": (
        ("mkfs.exfat",),
        8 * MIB,
        [range(128), range(MIB, MIB + 64), range(2 * MIB, 2 * MIB + 64 * KIB)],
    ),
    "ext2": (("mkfs.ext2", "-q"), 2 * MIB, [range(KIB, 2 * KIB + 64)]),
    "ext4": (("mkfs.ext4", "-q"), 4 * MIB, [range(KIB, 2 * KIB + 256)]),
    "ext4-meta": (
        ("mkfs.ext4", "-q", "-b1024", "-O", "meta_bg,^resize_inode,bigalloc"),
        4 * MIB,
        [range(KIB, 2 * KIB + 256)],
    ),
}
BYTES = st.one_of(st.sampled_from([0, 1, 2, 0x10, 0x7F, 0x80, 0xFE, 0xFF]), st.integers(0, 255))
MUTATIONS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), BYTES), min_size=1, max_size=12)
FEW = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])


class FailingBytes(io.BytesIO):
    """One place of it cannot be read."""

    bad = 0

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        if start <= self.bad < start + len(data):
            raise OSError(errno.EIO, "Input/output error")
        return data


@functools.cache
def pristine(name: str) -> bytes:
    command, size, _ = VOLUMES[name]
    with tempfile.TemporaryDirectory() as folder:
        return make_file_system(Path(folder) / "volume", size, *command).read_bytes()


@functools.cache
def interesting(name: str) -> list[int]:
    return [place for stretch in VOLUMES[name][2] for place in stretch]


def check(data: bytes | bytearray, reader: io.BytesIO) -> VolumeSurvey:
    volume = Volume(0, 0, len(data), recognise(reader, 0))
    found = survey_volume(reader, volume)
    space = found.space
    if space is None:
        kind = volume.file_system.kind
        assert found.remarks or kind in (FileSystemKind.UNKNOWN, FileSystemKind.BITLOCKER)
        return found
    assert 0 < space.used_bytes <= len(data)
    place = total = 0
    for extent in space.extents(0, len(data)):
        assert place <= extent.start < extent.end <= len(data)
        place = extent.end
        total += extent.size
    assert total == space.used_bytes
    return found


@FEW
@given(st.sampled_from(sorted(VOLUMES)), MUTATIONS)
def test_bytes_changed_at_will_neither_hang_nor_break_the_reader(
    name: str, mutations: list[tuple[float, int]]
) -> None:
    data = bytearray(pristine(name))
    places = interesting(name)
    for where, value in mutations:
        data[places[int(where * len(places))]] = value
    check(data, io.BytesIO(data))


@FEW
@given(st.sampled_from(sorted(VOLUMES)), st.floats(0, 1, exclude_max=True))
def test_a_bad_sector_anywhere_costs_the_account_at_most(name: str, where: float) -> None:
    data = pristine(name)
    reader = FailingBytes(data)
    reader.bad = interesting(name)[int(where * len(interesting(name)))]
    check(data, reader)


@FEW
@given(st.sampled_from(sorted(VOLUMES)), st.integers(0, MIB // 2))
def test_a_volume_cut_off_is_stored_whole(name: str, missing: int) -> None:
    data = pristine(name)[: -(missing // 512 * 512) - 64 * KIB]
    found = check(data, io.BytesIO(data))
    assert found.space is None
