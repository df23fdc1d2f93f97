"""The demo's proofs really compare: each kind of difference is found and named."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.services.demo.proof import (
    hashes_below,
    require_same,
    require_same_files,
    require_zip,
    sha256_of,
    take_picture,
)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    folder = tmp_path / "original"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    os.link(folder / "a.txt", folder / "b.txt")
    os.symlink("a.txt", folder / "link")
    (folder / "sub" / "c.txt").write_text("two")
    return folder


@pytest.fixture
def restored(original: Path, tmp_path: Path) -> Path:
    """A copy that ``cp -a`` made: equal in everything a restore promises."""
    folder = tmp_path / "restored"
    shutil.copytree(original, folder, symlinks=True)
    (folder / "b.txt").unlink()
    os.link(folder / "a.txt", folder / "b.txt")
    shutil.copystat(original, folder)
    return folder


def flip_a_byte(folder: Path) -> None:
    path = folder / "sub" / "c.txt"
    before = path.stat()
    path.write_text("tvo")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def split_the_hard_link(folder: Path) -> None:
    shutil.copy2(folder / "a.txt", folder / "z.txt")
    os.replace(folder / "z.txt", folder / "b.txt")
    reset_time(folder)


def point_the_link_elsewhere(folder: Path) -> None:
    (folder / "link").unlink()
    os.symlink("b.txt", folder / "link")


def remove_a_file(folder: Path) -> None:
    (folder / "sub" / "c.txt").unlink()


def add_a_file(folder: Path) -> None:
    (folder / "sub" / "new").touch()


def reset_time(folder: Path) -> None:
    original = (folder.parent / "original").stat()
    os.utime(folder, ns=(original.st_atime_ns, original.st_mtime_ns))


def change_a_mode(folder: Path) -> None:
    (folder / "sub" / "c.txt").chmod(0o601)


def move_a_time_by_a_nanosecond(folder: Path) -> None:
    os.utime(folder / "a.txt", ns=(0, (folder / "a.txt").stat().st_mtime_ns + 1))


def make_a_file_of_a_folder(folder: Path) -> None:
    shutil.rmtree(folder / "sub")
    (folder / "sub").touch()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (flip_a_byte, "sub/c.txt has another sha256"),
        (split_the_hard_link, "b.txt has another same_as"),
        (point_the_link_elsewhere, "link has another"),
        (remove_a_file, "sub/c.txt is missing"),
        (add_a_file, "sub/new was not there"),
        (change_a_mode, "sub/c.txt has another mode"),
        (move_a_time_by_a_nanosecond, "a.txt has another mtime_ns"),
        (make_a_file_of_a_folder, "sub has another mode"),
    ],
)
def test_damaged_restore_is_found_and_named(
    original: Path, restored: Path, damage: Callable[[Path], None], named: str
) -> None:
    damage(restored)
    with pytest.raises(IntegrityError) as caught:
        require_same(take_picture(original), take_picture(restored))
    assert named in caught.value.message


def test_true_copy_passes(original: Path, restored: Path) -> None:
    # A symlink's own time is not copied by copytree everywhere.
    found = os.lstat(original / "link")
    os.utime(restored / "link", ns=(0, found.st_mtime_ns), follow_symlinks=False)
    reset_time(restored)
    require_same(take_picture(original), take_picture(restored))


def test_lost_extended_attribute_is_found(original: Path, restored: Path) -> None:
    try:
        os.setxattr(original / "a.txt", "user.everboot", b"1")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    with pytest.raises(IntegrityError, match=r"a\.txt has another .*xattrs"):
        require_same(take_picture(original), take_picture(restored))


def test_hashes_below_a_folder_are_those_of_its_files(original: Path) -> None:
    (original / "sub" / "deeper").mkdir()
    (original / "sub" / "deeper" / "d").write_text("three")
    hashes = hashes_below(take_picture(original), "sub")
    assert hashes == {
        "c.txt": sha256_of(original / "sub" / "c.txt"),
        "deeper/d": sha256_of(original / "sub" / "deeper" / "d"),
    }


@pytest.mark.parametrize("found", [{}, {"a": "2"}, {"a": "1", "b": "1"}])
def test_other_files_than_wanted_are_named(tmp_path: Path, found: dict[str, str]) -> None:
    require_same_files({"a": "1"}, {"a": "1"}, tmp_path)
    with pytest.raises(IntegrityError, match=r"does not hold what it should: [ab]\."):
        require_same_files({"a": "1"}, found, tmp_path)


@pytest.mark.parametrize("held", [{}, {"a": b"2"}, {"a": b"1", "b": b"1"}])
def test_zip_with_other_members_is_found(tmp_path: Path, held: dict[str, bytes]) -> None:
    path = tmp_path / "x.zip"
    one = tmp_path / "one"
    one.write_bytes(b"1")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    with pytest.raises(IntegrityError, match="does not hold"):
        require_zip(path, {"a": sha256_of(one)})


def test_zip_that_holds_a_name_twice_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    one = tmp_path / "one"
    one.write_bytes(b"1")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"1")
    with pytest.raises(IntegrityError, match="twice"):
        require_zip(path, {"a": sha256_of(one)})


def test_zip_cut_short_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(IntegrityError, match="no whole zip"):
        require_zip(path, {})
