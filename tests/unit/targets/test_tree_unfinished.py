"""What a killed restore leaves is cleared up by the next; what one says is done, is on the disk."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backup_agent.errors import TargetError
from backup_agent.targets import posix, unfinished
from tests.points import back_up, new_repository
from tests.unit.services.test_restore import restore
from tests.unit.targets.restored_tree import FOLDER, node, put_file, restoring

_ROOT = Path(__file__).resolve().parents[3]
_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.targets.restored_tree import FOLDER, node, restoring
with restoring(Path(sys.argv[1])) as (target, _):
    target.make_folder((b"folder",))
    for path in ((b"a",), (b"folder", b"b")):
        target.make_file(path, node(size=9))
        target.write_at(path, 0, b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _parts(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder).parent) for path in folder.rglob(".everboot-*"))


def test_a_restore_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, tmp_path], cwd=_ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert _parts(tmp_path) == [".", "folder"]
    with restoring(tmp_path) as (target, events):
        target.make_folder((b"folder",))
        put_file(target, (b"a",), b"whole")
        target.finish_folder((b"folder",), FOLDER)
    assert _parts(tmp_path) == []
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert events == []


def test_a_restore_leaves_alone_what_another_one_is_writing(tmp_path: Path) -> None:
    with restoring(tmp_path) as (slow, slow_events):
        slow.make_file((b"a",), node(size=1))
        with restoring(tmp_path) as (quick, _):
            put_file(quick, (b"b",), b"y")
        assert _parts(tmp_path) == ["."]
        slow.write_at((b"a",), 0, b"x")
        assert slow.finish_file((b"a",), node(size=1))
    assert (tmp_path / "a").read_bytes() == b"x"
    assert slow_events == []


def test_what_is_only_called_alike_stays(tmp_path: Path) -> None:
    (tmp_path / ".everboot-notes.part").write_text("mine")
    (tmp_path / ".everboot-0123456789abcdef.part").mkdir()
    (tmp_path / ".everboot-fedcba9876543210.part").symlink_to("elsewhere")
    os.mkfifo(tmp_path / ".everboot-0000000000000000.part")
    with restoring(tmp_path):
        pass
    assert len(_parts(tmp_path)) == 4


def test_a_file_taken_for_a_leftover_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    hold = unfinished._hold
    swept: list[str] = []

    def late(descriptor: int) -> bool:
        if not swept:
            swept.extend(os.listdir(tmp_path))
            unfinished.remove_leftovers(within=folder)
        return hold(descriptor)

    monkeypatch.setattr(unfinished, "_hold", late)
    name, descriptor = unfinished.make_unfinished(within=folder)
    assert os.listdir(tmp_path) == [os.fsdecode(name)]
    assert swept not in ([], [os.fsdecode(name)])
    os.close(descriptor)
    os.close(folder)


def test_a_restore_is_on_the_disk_before_it_says_that_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.mkdir()
    (source / "file").write_text("content")
    repository = new_repository()
    point = back_up(repository, source).snapshot
    synced: list[bool] = []

    def sync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_dev == back.stat().st_dev
        synced.append((back / str(source)[1:] / "file").read_text() == "content")

    monkeypatch.setattr(posix, "sync_file_system", sync)
    restore(repository, point, back)
    assert synced == [True]


def test_a_disk_that_lost_what_was_written_fails_the_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(posix, "sync_file_system", fail)
    with restoring(tmp_path) as (target, _):
        put_file(target, (b"a",), b"x")
        with pytest.raises(TargetError, match="Input/output error"):
            target.make_durable()


def test_the_system_is_really_asked_to_write_it_down(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        put_file(target, (b"a",), b"x")
        target.make_durable()
    with pytest.raises(OSError, match="Bad file descriptor"):
        posix.sync_file_system(-1)
