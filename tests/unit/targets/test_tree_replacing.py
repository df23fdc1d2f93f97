"""What stands in the target gives way to what is restored, and no sooner than that."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from backup_agent.model.events import ItemSkipped
from tests.unit.targets.restored_tree import (
    node,
    put_file,
    restoring,
)


def test_other_hard_links_of_a_replaced_file_keep_their_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("theirs")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").hardlink_to(tmp_path / "old")
    os.mkfifo(root / "b")
    with restoring(root) as (target, events):
        put_file(target, (b"a",), b"ours")
        put_file(target, (b"b",), b"ours")
    assert (tmp_path / "old").read_text() == "theirs"
    assert (root / "a").read_bytes() == (root / "b").read_bytes() == b"ours"
    assert events == []


def test_an_older_file_stays_whole_until_the_new_one_is_finished(tmp_path: Path) -> None:
    for older in ("left", "damaged", "done"):
        (tmp_path / older).write_text("older")
    with restoring(tmp_path) as (target, events):
        for name in (b"left", b"damaged", b"done"):
            assert target.make_file((name,), node(size=3))
            target.write_at((name,), 0, b"new")
            assert (tmp_path / os.fsdecode(name)).read_text() == "older"
        target.discard_file((b"damaged",))
        assert target.finish_file((b"done",), node(size=3))
        (part,) = tmp_path.glob(".everboot-*.part")
        assert part.read_text() == "new"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "left": "older",
        "damaged": "older",
        "done": "new",
    }
    assert events == []


def test_a_file_reopened_before_it_is_finished_is_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    with restoring(tmp_path) as (target, events):
        target.make_file((b"a",), node(size=3))
        # So many others that its descriptor has been closed since.
        for number in range(200):
            target.make_file((b"%d" % number,), node())
        target.write_at((b"a",), 0, b"new")
        assert (tmp_path / "a").read_text() == "older"
        target.finish_file((b"a",), node(size=3))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]
    assert events == []


def test_a_hard_link_is_to_the_new_file_or_to_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    (tmp_path / "b").write_text("older")
    with restoring(tmp_path) as (target, events):
        target.make_file((b"a",), node(size=3))
        assert target.link_file((b"a2",), (b"a",))
        target.write_at((b"a",), 0, b"new")
        target.finish_file((b"a",), node(size=3))
        target.make_file((b"b",), node(size=3))
        target.discard_file((b"b",))
        assert not target.link_file((b"b2",), (b"b",))
    assert (tmp_path / "a2").read_text() == "new"
    assert (tmp_path / "a2").samefile(tmp_path / "a")
    assert not (tmp_path / "b2").exists()
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["b2"]


def test_a_filled_folder_in_the_place_of_a_file_is_kept_and_reported(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/precious").touch()
    (tmp_path / "empty").mkdir()
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"full",), b"x")
        put_file(target, (b"empty",), b"x")
    assert (tmp_path / "full/precious").exists()
    assert (tmp_path / "empty").read_bytes() == b"x"
    (event,) = events
    assert isinstance(event, ItemSkipped)
    assert event.path == "full"


def test_a_socket_standing_in_the_target_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a")
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"a",), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert events == []
