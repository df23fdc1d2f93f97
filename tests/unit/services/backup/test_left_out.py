"""What could not be read as it is, is told and stands in the restore point."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backup_agent.errors import (
    UnreadableError,
)
from backup_agent.model.events import Event, ItemSkipped
from backup_agent.model.node import Node
from backup_agent.repository.repository import Repository
from backup_agent.sources.entry import ByteStream, Entry
from backup_agent.sources.tree import FileTree
from tests.points import (
    back_up,
    below,
    holdings,
)
from tests.unit.services.backup.watched_tree import (
    WatchedTree,
    assert_holds,
    stored_omissions,
)


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


def test_a_file_written_to_with_its_time_put_back_is_reported(
    repository: Repository, source: Path
) -> None:
    def meddle(path: bytes) -> None:
        if path.endswith(b"/b"):
            before = os.stat(path)
            with open(path, "r+b") as file:
                file.write(b"changed")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    result = back_up(repository, WatchedTree(source, before_open=meddle))

    assert [(o.path, o.during) for o in result.omissions] == [(bytes(source / "b"), "change")]
