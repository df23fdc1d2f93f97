"""Restored names stay inside the target, whatever they are and whatever stands there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.errors import TargetError, UnsafePathError
from backup_agent.model.events import ItemSkipped
from backup_agent.targets.path import RelPath
from backup_agent.targets.tree import TreeTarget
from tests.unit.targets.restored_tree import (
    FOLDER,
    as_root,
    node,
    put_file,
    restoring,
)


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc", b"a\0b", b"../x"])
def test_names_that_are_no_names_are_refused(tmp_path: Path, name: bytes) -> None:
    root = tmp_path / "root"
    with restoring(root) as (target, _):
        target.make_folder((b"d",))
        for path in ((name,), (b"d", name), (b"d", name, b"x")):
            with pytest.raises(UnsafePathError):
                target.make_file(path, node())
            with pytest.raises(UnsafePathError):
                target.make_folder(path)
            with pytest.raises(UnsafePathError):
                target.make_other(path, node(stat.S_IFLNK, link_target=b"x"))
            with pytest.raises(UnsafePathError):
                target.link_file(path, (b"d",))
    assert os.listdir(tmp_path) == ["root"]


def test_hard_links_reach_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with restoring(tmp_path / "root") as (target, events):
        with pytest.raises(UnsafePathError):
            target.link_file((b"stolen",), (b"..", b"secret"))
        target.make_other((b"up",), node(stat.S_IFLNK, link_target=b".."))
        assert not target.link_file((b"stolen2",), (b"up", b"secret"))
    assert not (tmp_path / "root/stolen2").exists()
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["stolen2"]


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        target.make_other((b"a",), node(stat.S_IFLNK, link_target=b"/"))
        with pytest.raises(UnsafePathError):
            target.make_folder((b"a",))


def test_nothing_is_written_through_a_symlink_of_the_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with restoring(tmp_path / "root") as (target, events):
        target.make_other((b"way",), node(stat.S_IFLNK, link_target=os.fsencode(outside)))
        assert not target.make_file((b"way", b"x"), node(size=1))
        target.write_at((b"way", b"x"), 0, b"x")
        target.finish_file((b"way", b"x"), node(size=1))
        assert not target.make_folder((b"way", b"d"))
    assert os.listdir(outside) == []
    assert {event.path for event in events if isinstance(event, ItemSkipped)} == {"way/x", "way/d"}


def test_symlinks_that_stand_in_the_target_are_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "file")
    with restoring(root) as (target, events):
        target.make_folder((b"folder",))
        put_file(target, (b"folder", b"x"), b"ours")
        put_file(target, (b"file",), b"ours")
        target.finish_folder((b"folder",), FOLDER)
    assert os.listdir(outside) == ["file"]
    assert (outside / "file").read_text() == "theirs"
    assert (root / "folder/x").read_bytes() == b"ours"
    assert not (root / "folder").is_symlink()
    assert events == []


def test_a_folder_swapped_for_a_symlink_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("theirs")
    with restoring(tmp_path / "root") as (target, events):
        target.make_folder((b"d",))
        target.make_file((b"d", b"x"), node(size=4))
        # So many others that the descriptors of d and x have been closed since.
        for number in range(200):
            other = (b"e%d" % number,)
            target.make_folder(other)
            target.make_file((*other, b"f"), node())
        (tmp_path / "root/d").rename(tmp_path / "root/moved")
        (tmp_path / "root/d").symlink_to(outside)
        target.write_at((b"d", b"x"), 0, b"ours")
    assert (outside / "x").read_text() == "theirs"
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["d/x"]


def test_trees_two_thousand_levels_deep_work(tmp_path: Path) -> None:
    levels = 2000
    path: RelPath = tuple(b"level-%04d" % i for i in range(levels))
    with restoring(tmp_path) as (target, events):
        for depth in range(1, levels + 1):
            target.make_folder(path[:depth])
        put_file(target, (*path, b"bottom"), b"deep")
        for depth in range(levels, 0, -1):
            target.finish_folder(path[:depth], FOLDER)
    assert events == []
    opened = [os.open(tmp_path, os.O_RDONLY)]
    try:
        for name in path:
            opened.append(os.open(name, os.O_RDONLY, dir_fd=opened[-1]))
            assert os.fstat(opened[-1]).st_mtime_ns == FOLDER.mtime_ns
            if len(opened) > 2:
                os.close(opened.pop(0))
        bottom = os.open(b"bottom", os.O_RDONLY, dir_fd=opened[-1])
        opened.append(bottom)
        assert os.read(bottom, 10) == b"deep"
    finally:
        for descriptor in opened:
            os.close(descriptor)
        remove_deep(tmp_path, path)


def remove_deep(root: Path, path: RelPath) -> None:
    """Neither pytest nor shutil can remove so deep a tree: cut it in pieces first."""
    for cut in range(len(path) - 50, 0, -50):
        at = os.open(root, os.O_RDONLY)
        for name in path[: cut - 1]:
            below = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.rename(path[cut - 1], root / f"part-{cut}", src_dir_fd=at)
        os.close(at)
    for part in root.iterdir():
        shutil.rmtree(part)


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError):
        TreeTarget(tmp_path / "file", emit=lambda _: None)


@pytest.fixture
def without_case(tmp_path: Path) -> Iterator[Path]:
    """A file system that keeps case but does not tell names apart by it."""
    image, mounted = tmp_path / "exfat.img", tmp_path / "exfat"
    image.write_bytes(bytes(8 << 20))
    mounted.mkdir()
    tool("mkfs.exfat", str(image))
    device = tool("losetup", "--find", "--show", str(image)).strip()
    try:
        tool("mount.exfat-fuse", device, str(mounted))
        try:
            yield mounted
        finally:
            tool("umount", str(mounted))
    finally:
        tool("losetup", "--detach", device)


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{command[0]} does not work here: {done.stderr}")
    return done.stdout


@pytest.mark.root
@as_root
def test_names_that_differ_by_case_do_not_replace_each_other(without_case: Path) -> None:
    with restoring(without_case, own=False) as (target, _):
        put_file(target, (b"README",), b"first")
    with restoring(without_case, own=False) as (target, events):
        put_file(target, (b"README",), b"again")
        put_file(target, (b"readme",), b"second")
        target.make_folder((b"Docs",))
        assert not target.make_folder((b"docs",))
    assert sorted(os.listdir(without_case)) == ["Docs", "README"]
    assert (without_case / "README").read_bytes() == b"again"
    same = [e for e in events if isinstance(e, ItemSkipped) and "the same to this" in e.reason]
    assert [event.path for event in same] == ["readme", "docs"]
