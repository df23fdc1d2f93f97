"""What only a folder can do wrong; what all backends promise is in the contract suite."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from backup_agent.storage.backend import CONFIG, FileKind, ObjectKey
from backup_agent.storage.local import LocalBackend
from tests.unit.storage.objects import key_of

DATA = bytes(100_000)
PACK = key_of(DATA)
INDEX = key_of(DATA, FileKind.INDEX)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def backend(root: Path) -> LocalBackend:
    backend = LocalBackend(root)
    backend.prepare()
    return backend


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def failing_with(number: int) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("key", [PACK, INDEX, CONFIG], ids=lambda key: key.kind.name)
def test_a_full_disk_leaves_nothing_behind(
    backend: LocalBackend,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    key: ObjectKey,
) -> None:
    monkeypatch.setattr(f"backup_agent.storage.local.os.{call}", failing_with(errno.ENOSPC))
    with pytest.raises(StorageFullError) as caught:
        backend.save(key, DATA)
    assert caught.value.hint
    assert files_below(root) == []


def test_a_disk_that_fills_up_in_mid_write_leaves_nothing_behind(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, [60_000]

    def filling_up(file: int, data: memoryview) -> int:
        written = write(file, data[: min(len(data), 7_000, room[0])])
        room[0] -= written
        if not written:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written

    monkeypatch.setattr("backup_agent.storage.local.os.write", filling_up)
    with pytest.raises(StorageFullError):
        backend.save(PACK, DATA)
    assert files_below(root) == []
    room[0] = 10**9
    backend.save(PACK, DATA)
    assert backend.load(PACK) == DATA


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_access_denied(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    backend.save(INDEX, DATA)
    monkeypatch.setattr("backup_agent.storage.local.os.open", failing_with(number))
    with pytest.raises(AccessDeniedError) as caught:
        backend.save(PACK, DATA)
    assert str(root) in caught.value.message
    assert caught.value.hint
    monkeypatch.undo()
    assert backend.load(INDEX) == DATA


def test_a_failing_disk_is_a_storage_error_that_is_not_retried(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backup_agent.storage.local.os.fsync", failing_with(errno.EIO))
    with pytest.raises(StorageError) as caught:
        backend.save(PACK, DATA)
    assert type(caught.value) is StorageError


def test_a_root_that_vanished_is_not_made_anew(backend: LocalBackend, root: Path) -> None:
    backend.save(PACK, DATA)
    shutil.rmtree(root)
    for key in (PACK, INDEX, CONFIG):
        with pytest.raises(ObjectNotFoundError):
            backend.save(key, DATA)
        with pytest.raises(ObjectNotFoundError):
            backend.load(key)
        with pytest.raises(ObjectNotFoundError):
            backend.size(key)
    for kind in (FileKind.PACK, FileKind.INDEX):
        with pytest.raises(ObjectNotFoundError):
            list(backend.list(kind))
    assert not root.exists()


def test_a_root_that_vanishes_while_it_is_listed_raises(backend: LocalBackend, root: Path) -> None:
    for number in range(40):
        backend.save(key_of(bytes([number])), bytes([number]))
    listing = backend.list(FileKind.PACK)
    next(listing)
    shutil.rmtree(root)
    with pytest.raises(ObjectNotFoundError):
        list(listing)


def test_a_file_shorter_than_asked_for_is_a_short_body(backend: LocalBackend, root: Path) -> None:
    backend.save(PACK, DATA)
    (root / PACK.path).chmod(0o600)
    os.truncate(root / PACK.path, 500)
    with pytest.raises(TransientStorageError, match="100 bytes were asked for, 50 came"):
        backend.load(PACK, 450, 100)


def test_stored_files_are_read_only_and_can_still_be_removed(
    backend: LocalBackend, root: Path
) -> None:
    backend.save(PACK, DATA)
    assert stat.S_IMODE((root / PACK.path).stat().st_mode) == 0o444
    backend.save(PACK, DATA)
    backend.remove(PACK)
    assert files_below(root) == []


def test_left_over_temporary_files_and_strangers_are_not_listed(
    backend: LocalBackend, root: Path
) -> None:
    backend.save(PACK, DATA)
    folder = (root / PACK.path).parent
    for name in (f"{PACK.name}-tmp-0123", PACK.name.upper(), "Thumbs.db", PACK.name[:-1]):
        (folder / name).write_bytes(b"?")
    (root / "data" / "README").write_bytes(b"?")
    assert [info.name for info in backend.list(FileKind.PACK)] == [PACK.name]


DAY = 24 * 60 * 60.0


def test_what_saves_left_that_broke_off_a_day_ago_is_swept(root: Path) -> None:
    backend = LocalBackend(root, clock=lambda: 10 * DAY)
    backend.prepare()
    backend.save(PACK, DATA)
    whole = root / PACK.path
    old = [
        root / "config-tmp-01",
        root / f"{INDEX.path}-tmp-89abcdef01234567",
        root / f"{PACK.path}-tmp-2413589",  # restic's have decimal numbers
    ]
    young = [root / f"{PACK.path}-tmp-young"]
    others = [root / "notes-tmp-1", root / "data" / f"{'g' * 64}-tmp-1"]
    for path in (*old, *young, *others):
        path.write_bytes(b"part of it")
    for path in (*old, *others, whole):
        path.chmod(0o400)
        os.utime(path, (9 * DAY - 1,) * 2)
    os.utime(young[0], (9 * DAY + 1,) * 2)

    assert backend.sweep() == 3

    assert set(files_below(root)) == {whole, *young, *others}
    assert backend.sweep() == 0


def test_a_link_with_a_temporary_name_is_not_followed_nor_swept(root: Path, tmp_path: Path) -> None:
    backend = LocalBackend(root, clock=lambda: 10 * DAY)
    backend.prepare()
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    os.utime(outside, (0, 0))
    (root / f"{INDEX.path}-tmp-1").symlink_to(outside)
    assert backend.sweep() == 0
    assert outside.read_bytes() == b"mine"
