"""What a backup does with its source and its storage, when all goes well and when it does not."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from backup_agent.errors import (
    JobCancelledError,
    RepositoryLockedError,
    StorageError,
    UnreadableError,
)
from backup_agent.format.omissions import decode_omissions
from backup_agent.format.pack import BlobKind
from backup_agent.format.stored_tree import StoredTree
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, ItemSkipped, Notice
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.model.omission import Omission
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.locks import RepositoryLock, find_locks
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.backup import BackupSettings
from backup_agent.services.parent_point import ParentPoint
from backup_agent.sources.entry import ByteStream, Entry
from backup_agent.sources.tree import FileTree, TreeEntry
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend, Moment
from backup_agent.storage.memory import MemoryBackend
from tests.points import StoredItem, back_up, below, holdings, new_repository, reopen
from tests.trees import Content, File, Folder, Link, plant, survey, trees


class OwnTree(FileTree):
    """A folder and a way to it that never changes: others may work in the folders above it
    (``/tmp``), and those are stored, too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__([str(folder)])

    def roots(self) -> Sequence[Entry]:
        return self._settled(super().roots())

    def children(self, folder: Entry) -> Sequence[Entry]:
        return self._settled(super().children(folder))

    def _settled(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        for entry in entries:
            assert isinstance(entry, TreeEntry)
            if entry.only is not None:
                entry._node = replace(
                    entry.node, mtime_ns=0, atime_ns=0, ctime_ns=0, size=0, links=1
                )
        return entries


class WatchedTree(OwnTree):
    """A tree that tells which files were opened, and lets a test meddle just before."""

    def __init__(
        self, folder: Path, *, before_open: Callable[[bytes], None] = lambda _path: None
    ) -> None:
        super().__init__(folder)
        self.opened: list[str] = []
        self._before_open = before_open

    def open(self, file: Entry) -> ByteStream:
        self.opened.append(os.fsdecode(os.path.basename(file.path)))
        self._before_open(file.path)
        return super().open(file)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    plant(
        Folder(
            {
                b"a": File(Content(1, 1000)),
                b"b": File(Content(2, 2_000_000)),
                b"empty": File(Content(1, 0)),
                b"inner": Folder({b"c": File(Content(3, 10)), b"link": Link(b"../a")}),
            }
        ),
        bytes(folder),
    )
    return folder


@pytest.fixture
def repository() -> Repository:
    return new_repository()


def stored_omissions(repository: Repository, snapshot: Snapshot) -> tuple[Omission, ...]:
    """The list in the restore point itself."""
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        (folder,) = (n for n in reader.load_tree(snapshot.tree) if n.name == b".everboot")
        assert folder.subtree is not None
        (file,) = reader.load_tree(folder.subtree)
        assert file.name == b"omissions.jsonl"
        pieces = list(reader.stream(file.content or ()))
    return decode_omissions(b"".join(piece for piece in pieces if isinstance(piece, bytes)))


def assert_holds(items: dict[bytes, StoredItem], folder: Path) -> None:
    """Whether a restore point has exactly what stands in the folder now."""
    seen = survey(bytes(folder))
    del seen[b"."]
    items = below(items, folder)
    assert items.keys() == seen.keys()
    for path, found in seen.items():
        node = items[path].node
        assert (node.permissions, node.mtime_ns) == (found.mode & 0o7777, found.mtime_ns)
        assert items[path].sha256 in ("", found.content)
        if node.link_target:
            assert node.link_target.hex() == found.content


# Incremental


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


# Left out


def test_a_file_that_vanishes_is_listed_as_missing(repository: Repository, source: Path) -> None:
    def vanish(path: bytes) -> None:
        if path.endswith(b"/a"):
            os.unlink(path)

    events: list[Event] = []
    result = back_up(repository, WatchedTree(source, before_open=vanish), emit=events.append)

    (omission,) = result.omissions
    assert (omission.path, omission.during) == (bytes(source / "a"), "read")
    assert not result.complete
    assert result.snapshot.tags == ("incomplete",)
    assert stored_omissions(repository, result.snapshot) == result.omissions
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == [str(source / "a")]
    assert_holds(holdings(repository, result.snapshot), source)


def test_a_file_that_grows_while_it_is_read_is_kept_and_reported(
    repository: Repository, source: Path
) -> None:
    def grow(path: bytes) -> None:
        if path.endswith(b"/b"):
            with open(path, "ab") as file:
                file.write(b"more")

    result = back_up(repository, WatchedTree(source, before_open=grow))

    (omission,) = result.omissions
    assert (omission.path, omission.during) == (bytes(source / "b"), "change")
    assert b"b" in below(holdings(repository, result.snapshot), source)

    tree = WatchedTree(source)
    assert back_up(repository, tree).complete
    assert "b" in tree.opened


def test_a_file_that_cannot_be_read_to_its_end_is_left_out(
    repository: Repository, source: Path
) -> None:
    class Bad(FileTree):
        def open(self, file: Entry) -> ByteStream:
            if file.path.endswith(b"/b"):
                raise UnreadableError("Input/output error")
            return super().open(file)

        def complete(self, entry: Entry) -> Node:
            if entry.path.endswith(b"/link"):
                raise UnreadableError("Input/output error")
            return super().complete(entry)

        def children(self, folder: Entry) -> Sequence[Entry]:
            if folder.path.endswith(b"/locked"):
                raise UnreadableError("Permission denied")
            return super().children(folder)

    (source / "locked").mkdir()
    result = back_up(repository, Bad([str(source)]))

    assert [(os.path.basename(o.path), o.during) for o in result.omissions] == [
        (b"b", "read"),
        (b"link", "scan"),
        (b"locked", "scan"),
    ]
    assert below(holdings(repository, result.snapshot), source).keys() == {
        b"a", b"empty", b"inner", b"inner/c",
    }  # fmt: skip
    assert stored_omissions(repository, result.snapshot) == result.omissions


def test_the_next_run_tries_what_was_left_out_again(repository: Repository, source: Path) -> None:
    hidden = source.with_name("hidden")

    def hide(path: bytes) -> None:
        if path.endswith(b"/a"):
            os.rename(path, hidden)

    assert not back_up(repository, WatchedTree(source, before_open=hide)).complete
    os.rename(hidden, source / "a")
    result = back_up(repository, source)

    assert result.complete
    assert result.snapshot.tags == ()
    items = holdings(repository, result.snapshot)
    assert not any(path.startswith(b"/.everboot") for path in items)
    assert_holds(items, source)


def test_an_attribute_whose_name_is_no_utf_8_is_reported_by_every_run(
    repository: Repository, source: Path
) -> None:
    os.setxattr(bytes(source / "a"), b"user.\xff", b"v")

    for _ in range(2):
        result = back_up(repository, source)
        assert b"a" in below(holdings(repository, result.snapshot), source)
        assert [o.path for o in result.omissions] == [bytes(source / "a")]


class UnreadableAttributes(FileTree):
    """A folder whose attributes cannot be read, as on a failing disk."""

    def complete(self, entry: Entry) -> Node:
        if entry.path.endswith(b"/inner"):
            raise UnreadableError("Input/output error")
        return super().complete(entry)


def test_a_folder_whose_attributes_failed_is_looked_at_again_by_the_next_run(
    repository: Repository, source: Path
) -> None:
    os.setxattr(source / "inner", "user.kept", b"v")
    for _ in range(2):
        assert not back_up(repository, UnreadableAttributes([str(source)])).complete

    result = back_up(repository, source)
    assert result.complete
    assert_holds(holdings(repository, result.snapshot), source)


# Cancelled, failing, locked


@given(steps=st.integers(0, 40))
@settings(max_examples=12, deadline=None)
def test_a_cancelled_run_leaves_no_point_and_the_next_one_works(
    tmp_path_factory: pytest.TempPathFactory, steps: int
) -> None:
    folder = tmp_path_factory.mktemp("cancel") / "source"
    plant(Folder({b"%d" % n: File(Content(n, 100)) for n in range(1, 20)}), bytes(folder))
    repository = new_repository()
    cancel = CancelToken()
    left = [steps]

    class Cancelling(FileTree):
        def complete(self, entry: Entry) -> Node:
            left[0] -= 1
            if left[0] < 0:
                cancel.cancel()
            return super().complete(entry)

    try:
        back_up(repository, Cancelling([str(folder)]), cancel=cancel)
    except JobCancelledError:
        assert repository.snapshots() == []
    else:
        assert not cancel.cancelled
        assert len(repository.snapshots()) == 1
    assert find_locks(repository) == []

    assert_holds(holdings(repository, back_up(repository, folder).snapshot), folder)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("for_good", [True, False])
def test_storage_that_fails_at_any_operation_leaves_earlier_points_whole(
    source: Path, moment: Moment, for_good: bool
) -> None:
    backend = MemoryBackend()
    repository = new_repository(backend)
    first = back_up(repository, source).snapshot
    held = holdings(repository, first)
    (source / "new").write_bytes(Content(7, 100_000).bytes())
    before = dict(backend.objects)
    counting = FaultyBackend(backend)
    back_up(replace_backend(repository, counting), source)
    assert counting.operations >= 5

    for number in range(1, counting.operations + 1):
        backend.objects = dict(before)
        faulty = FaultyBackend(backend, fail_at=number, moment=moment, for_good=for_good)
        with contextlib.suppress(StorageError):
            back_up(replace_backend(repository, faulty), source)
        assert first in repository.snapshots()
        assert holdings(repository, first) == held
        for point in repository.snapshots():
            holdings(repository, point)
        # The lock of a run that failed in this process is a living one: it shares.
        again = back_up(repository, source)
        assert_holds(holdings(repository, again.snapshot), source)


def replace_backend(repository: Repository, backend: FaultyBackend) -> Repository:
    return Repository(backend, repository.config, repository.master, repository.key_name)


def test_a_locked_repository_is_refused(repository: Repository, source: Path) -> None:
    with (
        RepositoryLock(repository, exclusive=True, settle_seconds=0),
        pytest.raises(RepositoryLockedError),
    ):
        back_up(repository, source)
    assert repository.snapshots() == []
    assert back_up(repository, source).complete


# Deduplication


def test_the_same_content_is_stored_once(repository: Repository, tmp_path: Path) -> None:
    content = random.Random(5).randbytes(3_000_000)
    for name in ("one", "two", "three"):
        (tmp_path / name).write_bytes(content)
    result = back_up(repository, tmp_path)

    assert result.summary.total_bytes_processed == 3 * len(content)
    assert len(content) <= result.summary.data_added < len(content) + 20_000


def test_an_insertion_stores_only_what_is_near_it(repository: Repository, tmp_path: Path) -> None:
    content = random.Random(6).randbytes(30_000_000)
    (tmp_path / "file").write_bytes(content)
    back_up(repository, tmp_path)
    (tmp_path / "file").write_bytes(content[:15_000_000] + b"inserted" + content[15_000_000:])
    result = back_up(repository, tmp_path)

    assert 0 < result.summary.data_added < 3 * (4 << 20)


@pytest.mark.parametrize("kind", list(BlobKind))
@pytest.mark.parametrize("cut_short", [False, True])
def test_what_lay_in_a_lost_pack_is_saved_again(
    source: Path, kind: BlobKind, cut_short: bool
) -> None:
    backend = MemoryBackend()
    repository = new_repository(backend)
    first = back_up(repository, OwnTree(source))
    whole = holdings(repository, first.snapshot)
    fresh = reopen(backend)
    fresh.load_index()
    lost = {place.pack for place in fresh.index if place.blob.kind is kind}
    for pack in lost:
        path = ObjectKey(FileKind.PACK, pack).path
        if cut_short:
            backend.objects[path] = backend.objects[path][:30]
        else:
            del backend.objects[path]
    events: list[Event] = []

    again = back_up(repository, OwnTree(source), emit=events.append)

    assert below(holdings(repository, again.snapshot), source) == below(whole, source)
    told = f"{len(lost)} packs are missing or cut short: their data is saved again."
    assert Notice(told) in events
    events.clear()
    third = back_up(repository, OwnTree(source), emit=events.append)
    assert third.summary.data_blobs == 0
    assert Notice(told) not in events
