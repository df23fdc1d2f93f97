"""Restored files have the bytes they had, and take no more room."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backup_agent.errors import TargetError
from tests.unit.targets.restored_tree import (
    node,
    put_file,
    restoring,
)


def test_content_mode_and_times_come_back_to_the_nanosecond(tmp_path: Path) -> None:
    with restoring(tmp_path / "new" / "place") as (target, events):
        target.make_folder((b"docs",))
        put_file(target, (b"docs", b"a.txt"), b"hello", node(permissions=0o4711, size=5))
        target.finish_folder((b"docs",), node(stat.S_IFDIR, 0o3750))
    file = tmp_path / "new/place/docs/a.txt"
    assert file.read_bytes() == b"hello"
    for path, mode in ((file, 0o4711), (file.parent, 0o3750)):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == mode
        assert found.st_mtime_ns == 1_111_111_111_123_456_789
    assert events == []


def test_blobs_may_arrive_in_any_order_and_from_many_threads(tmp_path: Path) -> None:
    count, piece = 300, 1000
    paths = [(b"f", b"%d" % i) for i in range(count)]
    whole = node(size=3 * piece)
    with restoring(tmp_path) as (target, events):
        target.make_folder((b"f",))
        for path in paths:
            assert target.make_file(path, whole)

        def write(job: tuple[int, int]) -> None:
            part, number = job
            fill = bytes([1 + (number + part) % 255]) * piece
            target.write_at(paths[number], part * piece, fill)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, [(p, n) for p in (2, 0, 1) for n in range(count)]))
        for path in paths:
            target.finish_file(path, whole)
    for number in range(count):
        expected = b"".join(bytes([1 + (number + p) % 255]) * piece for p in range(3))
        assert (tmp_path / "f" / str(number)).read_bytes() == expected
    assert events == []


def test_zeros_stay_a_hole(tmp_path: Path) -> None:
    size = 8 << 20
    with restoring(tmp_path) as (target, _):
        target.make_file((b"sparse",), node(size=size))
        for offset in range(0, size - (1 << 20), 1 << 20):
            target.write_at((b"sparse",), offset, memoryview(bytes(1 << 20)))
        target.write_at((b"sparse",), size - 4096, bytes(4095) + b"x")
        target.finish_file((b"sparse",), node(size=size))
    file = tmp_path / "sparse"
    assert file.stat().st_size == size
    assert file.stat().st_blocks * 512 <= 64 << 10
    assert file.read_bytes() == bytes(size - 1) + b"x"


@pytest.mark.parametrize("offset", [0, 1, 4096, (64 << 10) - 1])
def test_zeros_inside_a_piece_stay_a_hole(tmp_path: Path, offset: int) -> None:
    piece = b"a" + bytes(2 << 20) + b"b" * 100_000 + bytes(2 << 20) + b"c"
    size = offset + len(piece)
    with restoring(tmp_path) as (target, events):
        target.make_file((b"sparse",), node(size=size))
        target.write_at((b"sparse",), offset, piece)
        target.finish_file((b"sparse",), node(size=size))
    file = tmp_path / "sparse"
    assert file.read_bytes() == bytes(offset) + piece
    assert file.stat().st_blocks * 512 <= 512 << 10
    assert events == []


def test_read_at_gives_back_what_was_written(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        target.make_file((b"a",), node(size=10))
        target.write_at((b"a",), 4, b"mid")
        assert target.read_at((b"a",), 0, 10) == b"\0\0\0\0mid\0\0\0"
        assert target.read_at((b"a",), 8, 10) == b"\0\0"


def test_reading_back_a_missing_file_is_a_target_error(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _), pytest.raises(TargetError):
        target.read_at((b"absent",), 0, 1)


def test_hard_links_share_one_file(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        target.make_folder((b"sub",))
        put_file(target, (b"a",), b"one")
        assert target.link_file((b"sub", b"b"), (b"a",))
    assert (tmp_path / "sub/b").samefile(tmp_path / "a")
    assert events == []


def test_a_full_disk_ends_the_run_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with restoring(tmp_path) as (target, _):
        target.make_file((b"a",), node(size=1))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(TargetError, match="No space left") as caught:
            target.write_at((b"a",), 0, b"x")
    assert caught.value.hint


def test_sizes_no_file_can_have_are_reported(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        for number, size in enumerate((1 << 62, (1 << 64) - 1, -1)):
            assert not target.make_file((b"%d" % number,), node(size=size))
        assert os.listdir(tmp_path) == []
    assert len(events) == 3


def test_descriptors_are_all_closed_in_the_end(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with restoring(tmp_path) as (target, _):
        for number in range(400):
            target.make_folder((b"%d" % number,))
            target.make_file((b"%d" % number, b"x"), node())
        assert len(os.listdir("/proc/self/fd")) - before <= 300
    assert len(os.listdir("/proc/self/fd")) == before
