"""A backup reads again what changed, and trusts the last one for nothing that is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from backup_agent.format.pack import BlobKind
from backup_agent.format.stored_tree import StoredTree
from backup_agent.model.events import Event, Notice
from backup_agent.model.ids import BlobId
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.backup import BackupSettings
from backup_agent.services.parent_point import ParentPoint
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from tests.points import (
    back_up,
    below,
    holdings,
    new_repository,
    reopen,
)
from tests.trees import Folder, plant, trees
from tests.unit.services.backup.watched_tree import (
    WatchedTree,
    assert_holds,
)


def test_unchanged_files_are_not_even_opened(repository: Repository, source: Path) -> None:
    first = WatchedTree(source)
    back_up(repository, first)
    second = WatchedTree(source)
    result = back_up(repository, second)

    assert first.opened == ["a", "b", "empty", "c"]
    assert second.opened == []
    assert result.summary.files_unmodified == 4
    assert result.summary.data_added == result.summary.data_added_packed == 0
    assert result.snapshot.tree == repository.snapshots()[0].tree
    assert_holds(holdings(repository, result.snapshot), source)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"longer than before" * 100),
        lambda path: path.write_bytes(bytes(1000)),
        lambda path: os.utime(path, ns=(0, 0)),
        lambda path: path.chmod(0o600),
        lambda path: os.setxattr(path, "user.new", b"1"),
        lambda path: os.replace(_twin(path), path),
    ],
    ids=["size", "content", "mtime", "mode", "xattr", "inode"],
)
def test_changed_files_are_read_again(
    repository: Repository, source: Path, change: Callable[[Path], None]
) -> None:
    back_up(repository, source)
    change(source / "a")
    tree = WatchedTree(source)
    result = back_up(repository, tree)

    assert tree.opened == ["a"]
    assert (result.summary.files_changed, result.summary.files_unmodified) == (1, 3)
    assert_holds(holdings(repository, result.snapshot), source)


def _twin(path: Path) -> Path:
    twin = path.with_name("twin")
    twin.write_bytes(path.read_bytes())
    facts = path.stat()
    os.utime(twin, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return twin


@given(first=trees(), second=trees())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_tree_on_top_of_any_other_is_held_whole(
    tmp_path_factory: pytest.TempPathFactory, first: Folder, second: Folder
) -> None:
    folder = tmp_path_factory.mktemp("any")
    repository = new_repository()
    plant(first, bytes(folder / "source"))
    one = back_up(repository, folder / "source")
    items = holdings(repository, one.snapshot)
    assert_holds(items, folder / "source")

    os.rename(folder / "source", folder / "old")
    plant(second, bytes(folder / "source"))
    two = back_up(repository, folder / "source")

    assert_holds(holdings(repository, two.snapshot), folder / "source")
    assert holdings(repository, one.snapshot) == items
    assert one.complete
    assert two.complete


def test_a_file_whose_blobs_are_lost_from_the_index_is_read_again(
    repository: Repository, source: Path
) -> None:
    back_up(repository, source)
    backend = repository.backend
    for info in list(backend.list(FileKind.INDEX)):
        json = repository.load_file(ObjectKey(FileKind.INDEX, info.name))
        assert json
        backend.remove(ObjectKey(FileKind.INDEX, info.name))
    tree = WatchedTree(source)
    result = back_up(repository, tree)

    assert tree.opened == ["a", "b", "empty", "c"]
    assert result.complete
    assert_holds(holdings(repository, result.snapshot), source)


def test_a_parent_whose_trees_are_lost_costs_only_reading_again(
    repository: Repository, source: Path
) -> None:
    back_up(repository, source)
    (source / "a").write_bytes(b"new")
    backend = repository.backend
    assert isinstance(backend, MemoryBackend)
    first = reopen(backend)
    first.load_index()
    for place in list(first.index):
        if place.blob.kind.value == "tree":
            backend.remove(ObjectKey(FileKind.PACK, place.pack))
    events: list[Event] = []

    result = back_up(repository, source, emit=events.append)

    assert result.complete
    assert any("packs are missing" in str(event) for event in events)


def test_files_beside_some_that_came_or_went_are_not_read_again(
    repository: Repository, source: Path
) -> None:
    back_up(repository, source)
    (source / "a").unlink()
    (source / "aa").write_bytes(b"new")
    (source / "first").write_bytes(b"new")
    tree = WatchedTree(source)
    result = back_up(repository, tree)

    assert tree.opened == ["aa", "first"]
    assert (result.summary.files_new, result.summary.files_unmodified) == (2, 3)
    assert_holds(holdings(repository, result.snapshot), source)


def test_unchanged_files_whose_packs_are_lost_are_read_again(
    repository: Repository, source: Path
) -> None:
    back_up(repository, source)
    backend = repository.backend
    first = reopen(backend)
    first.load_index()
    for pack in {place.pack for place in first.index if place.blob.kind is BlobKind.DATA}:
        backend.remove(ObjectKey(FileKind.PACK, pack))
    tree = WatchedTree(source)
    result = back_up(repository, tree)

    assert result.snapshot.parent is not None
    # Nothing of the empty file is lost.
    assert tree.opened == ["a", "b", "c"]
    assert_holds(holdings(repository, result.snapshot), source)


def test_a_parent_with_a_tree_that_is_none_is_announced_and_costs_only_reading_again(
    repository: Repository, source: Path
) -> None:
    back_up(repository, source)
    repository.load_index()
    with BlobReader(repository) as reader:
        events: list[Event] = []
        point = ParentPoint(reader, emit=events.append)
        tree = StoredTree(BlobId(bytes(32)), b'{"nodes":[{"name":"\\\\q"}]}')

        assert point.find(tree, b"a") is None
        assert point.find(tree, b"b") is None
        assert point.unchanged(StoredTree(BlobId(bytes(32)), b"{"), [b"head"]) == [None]
        assert point.tree(BlobId(bytes(32))).data == b""
    assert [type(event) for event in events] == [Notice] * 3


def test_another_computers_points_are_no_parents(repository: Repository, source: Path) -> None:
    back_up(repository, source, settings=BackupSettings(hostname="other"))
    tree = WatchedTree(source)
    result = back_up(repository, tree)

    assert result.snapshot.parent is None
    assert len(tree.opened) == 4
    assert result.summary.data_blobs == 0


def test_a_path_that_is_no_utf_8_finds_its_parent(repository: Repository, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/odd \xff"))
    odd.mkdir()
    (odd / "f").write_text("x")
    first = back_up(repository, odd)
    second = back_up(repository, odd)

    assert second.snapshot.parent == first.snapshot.id
    assert below(holdings(repository, second.snapshot), odd).keys() == {b"f"}
