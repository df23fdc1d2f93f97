"""The walk over a computer's files: what is on the way, what is left out, what is never touched."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.errors import UnreadableError, UsageError
from backup_agent.sources.entry import Entry
from backup_agent.sources.filters import Filters
from backup_agent.sources.tree import FileTree
from tests.trees import Content, Fifo, File, Folder, Link, plant

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plant(
        Folder(
            {
                b"a.tmp": File(Content(1, 10)),
                b"b": File(Content(2, 10)),
                b"inner": Folder({b"c.tmp": File(Content(3, 10)), b"d": File(Content(4, 10))}),
                b"cache": Folder(
                    {
                        b"CACHEDIR.TAG": File(Content(0, 0)),
                        b"junk": File(Content(5, 10)),
                    }
                ),
                b"way": Link(b"inner"),
            }
        ),
        bytes(tmp_path / "folder"),
    )
    tag = tmp_path / "folder" / "cache" / "CACHEDIR.TAG"
    tag.write_text("Signature: 8a477f597d28d172789f06886806bc55\n# comment")
    return tmp_path / "folder"


def walk(tree: FileTree) -> Iterator[Entry]:
    left = list(reversed(tree.roots()))
    while left:
        entry = left.pop()
        yield entry
        if stat.S_ISDIR(os.lstat(entry.path).st_mode) or entry.node.kind.value == "dir":
            left += reversed(tree.children(entry))


def found_below(tree: FileTree, folder: Path) -> list[str]:
    paths = [Path(os.fsdecode(entry.path)) for entry in walk(tree)]
    return [str(path.relative_to(folder)) for path in paths if folder in path.parents]


def test_the_whole_chain_of_folders_is_stored_and_nothing_beside_it(folder: Path) -> None:
    paths = [entry.path for entry in walk(FileTree([str(folder / "inner")]))]
    chain = [bytes(parent) for parent in reversed((folder / "inner").parents)][1:]

    assert paths == [
        *chain,
        bytes(folder / "inner"),
        bytes(folder / "inner" / "c.tmp"),
        bytes(folder / "inner" / "d"),
    ]


def test_a_path_below_another_adds_nothing(folder: Path) -> None:
    both = FileTree([str(folder), str(folder / "inner" / "d"), str(folder) + "/."])

    assert found_below(both, folder) == found_below(FileTree([str(folder)]), folder)
    assert both.paths == (str(folder), str(folder / "inner" / "d"))


def test_a_link_on_the_way_is_followed_and_one_below_is_not(folder: Path) -> None:
    assert found_below(FileTree([str(folder / "way" / "d")]), folder) == ["way", "way/d"]
    (link,) = [e for e in walk(FileTree([str(folder)])) if e.path == bytes(folder / "way")]
    assert FileTree([str(folder)]).complete(link).link_target == b"inner"


def test_excluded_files_are_left_out_and_what_was_asked_for_is_not(folder: Path) -> None:
    filters = Filters(patterns=["*.tmp", "cache/", "folder"])

    assert found_below(FileTree([str(folder)], filters=filters), folder) == [
        "b",
        "inner",
        "inner/d",
        "way",
    ]


def test_of_a_cache_folder_only_the_tag_is_kept(folder: Path) -> None:
    found = found_below(FileTree([str(folder)], filters=Filters(exclude_caches=True)), folder)

    assert "cache/CACHEDIR.TAG" in found
    assert "cache/junk" not in found
    assert "inner/d" in found


@root_only
@pytest.mark.root
def test_one_file_system_keeps_mount_points_as_empty_folders(folder: Path) -> None:
    mount = folder / "inner" / "mount"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", str(mount)], check=True)
    try:
        (mount / "other").write_text("x")
        assert "inner/mount/other" in found_below(FileTree([str(folder)]), folder)
        found = found_below(FileTree([str(folder)], one_file_system=True), folder)
        assert "inner/mount" in found
        assert "inner/mount/other" not in found
        asked = FileTree([str(folder), str(mount)], one_file_system=True)
        assert "inner/mount/other" in found_below(asked, folder)
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


@pytest.mark.parametrize("paths", [[], ["/no/such/folder"]])
def test_nothing_to_back_up_is_a_usage_error(paths: list[str]) -> None:
    with pytest.raises(UsageError):
        FileTree(paths)


def test_a_pipe_that_took_a_files_place_is_not_waited_for(folder: Path) -> None:
    tree = FileTree([str(folder)])
    (file,) = [entry for entry in walk(tree) if entry.path == bytes(folder / "b")]
    (folder / "b").unlink()
    plant(Fifo(), bytes(folder / "b"))

    with pytest.raises(UnreadableError, match="no regular file"):
        tree.open(file)


def test_a_link_that_took_a_files_place_is_not_followed(folder: Path) -> None:
    tree = FileTree([str(folder)])
    (file,) = [entry for entry in walk(tree) if entry.path == bytes(folder / "b")]
    (folder / "b").unlink()
    (folder / "b").symlink_to("/etc/hostname")

    with pytest.raises(UnreadableError):
        tree.open(file)


def test_reading_leaves_no_trace_on_the_source(folder: Path) -> None:
    os.utime(folder / "b", ns=(1, 2_000_000_000))
    before = (folder / "b").stat()
    tree = FileTree([str(folder)])
    (file,) = [entry for entry in walk(tree) if entry.path == bytes(folder / "b")]
    stream = tree.open(file)
    try:
        assert stream.readinto(memoryview(bytearray(100))) == 10
        assert stream.changed() == ""
    finally:
        stream.close()

    after = (folder / "b").stat()
    assert (after.st_atime_ns, after.st_ctime_ns) == (before.st_atime_ns, before.st_ctime_ns)
