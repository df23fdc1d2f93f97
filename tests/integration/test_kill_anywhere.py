"""Killed at any moment: earlier points stay whole, the next run works and clears up itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup_agent.errors import StorageError, StorageFullError
from backup_agent.repository.locks import find_locks, remove_locks
from backup_agent.sources.entry import ByteStream, Entry
from backup_agent.sources.tree import FileTree
from backup_agent.storage.local import LocalBackend
from tests.points import back_up, below, holdings, new_repository
from tests.restic import Restic
from tests.trees import Content, File, Folder, plant

ROOT = Path(__file__).parent.parent.parent
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three packs' worth of noise, and small things."""
    folder = tmp_path / "source"
    files = {b"%02d" % n: File(Content(n, 4_000_000)) for n in range(1, 13)}
    plant(Folder({**files, b"small": Folder({b"s": File(Content(1, 10))})}), bytes(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.mark.parametrize(
    ("where", "number"),
    [("reading", 0), ("reading", 30_000_000), ("reading", 47_999_999)]
    + [("saving", number) for number in range(1, 8)],
)
def test_a_killed_run_is_forgotten_by_the_next(
    source: Path, place: Path, where: str, number: int
) -> None:
    repository = new_repository(LocalBackend(place))
    (place.parent / "before").mkdir()
    (place.parent / "before" / "f").write_text("kept")
    first = back_up(repository, place.parent / "before").snapshot
    held = holdings(repository, first)

    killed = subprocess.run(
        [sys.executable, "-m", "tests.killed", str(place), str(source), where, str(number)],
        cwd=ROOT,
        check=False,
        timeout=120,
    )

    assert killed.returncode == -signal.SIGKILL
    assert repository.snapshots() == [first]
    result = back_up(repository, source)

    assert find_locks(repository) == []
    assert result.complete
    assert holdings(repository, first) == held
    items = below(holdings(repository, result.snapshot), source)
    assert len(items) == 14
    Restic(place).check()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@root_only
@pytest.mark.root
def test_a_full_disk_leaves_earlier_points_whole(source: Path, small_disk: Path) -> None:
    repository = new_repository(LocalBackend(small_disk / "repository"))
    first = back_up(repository, source / "small").snapshot
    held = holdings(repository, first)

    with pytest.raises(StorageFullError):
        back_up(repository, source)

    assert repository.snapshots() == [first]
    assert holdings(repository, first) == held
    assert not list(small_disk.rglob("*-tmp-*"))
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert back_up(repository, source).complete
    Restic(small_disk / "repository").check()


def test_storage_that_vanishes_mid_run_is_not_made_anew(source: Path, place: Path) -> None:
    repository = new_repository(LocalBackend(place))
    first = back_up(repository, source / "small").snapshot
    away = place.with_name("away")

    class Unplugging(FileTree):
        def open(self, file: Entry) -> ByteStream:
            if file.path.endswith(b"/05"):
                place.rename(away)
            return super().open(file)

    with pytest.raises(StorageError):
        back_up(repository, Unplugging([str(source)]))

    assert not place.exists()
    away.rename(place)
    assert repository.snapshots() == [first]
    assert back_up(repository, source).complete
    # The lock could not be removed while the disk was away, and its process is alive: this one.
    assert remove_locks(repository, every=True, now=datetime.now(UTC)) == 1
    Restic(place).check()


@root_only
@pytest.mark.root
def test_what_its_user_may_not_read_is_listed_and_the_rest_saved() -> None:
    nobody = 65534
    # Not below tmp_path, which only its owner may enter.
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        (folder / "readable").write_text("yes")
        (folder / "secret").write_text("no")
        (folder / "secret").chmod(0o600)
        (folder / "closed").mkdir(mode=0o700)
        (folder / "closed" / "inside").write_text("no")
        repository = new_repository()
        os.seteuid(nobody)
        try:
            result = back_up(repository, folder)
        finally:
            os.seteuid(0)

        assert sorted((o.path, o.during) for o in result.omissions) == [
            (bytes(folder / "closed"), "scan"),
            (bytes(folder / "secret"), "read"),
        ]
        assert all("ermission" in o.reason for o in result.omissions)
        assert "incomplete" in result.snapshot.tags
        items = below(holdings(repository, result.snapshot), folder)
        assert items.keys() == {b"readable"}
        assert back_up(repository, folder).complete
