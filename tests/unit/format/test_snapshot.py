"""Snapshot files, ours and those of restic."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.snapshot import decode_snapshot, encode_snapshot
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.snapshot import BackupSummary, Snapshot

ID = SnapshotId("9c" * 32)
NOW = datetime(2026, 3, 4, 5, 6, 7, 123_000, timezone(timedelta(hours=2)))

RESTIC_0_19 = {
    "time": "2026-05-01T10:00:00.123456789+02:00",
    "parent": "11" * 32,
    "tree": "22" * 32,
    "paths": ["/home/ann", "C:\\Users"],
    "hostname": "desk",
    "username": "ann",
    "uid": 1000,
    "gid": 1000,
    "excludes": ["*.tmp"],
    "tags": ["a", "b"],
    "original": "33" * 32,
    "program_version": "restic 0.19.1",
    "summary": {
        "backup_start": "2026-05-01T10:00:00.123456789+02:00",
        "backup_end": "2026-05-01T10:00:09+02:00",
        "files_new": 1,
        "files_changed": 2,
        "files_unmodified": 3,
        "dirs_new": 4,
        "dirs_changed": 5,
        "dirs_unmodified": 6,
        "data_blobs": 7,
        "tree_blobs": 8,
        "data_added": 9,
        "data_added_packed": 10,
        "total_files_processed": 11,
        "total_bytes_processed": 12,
    },
}

texts = st.text(alphabet=st.characters(codec="utf-8"))
counts = st.integers(0, 1 << 60)
moments = st.datetimes(
    timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
)
ids = st.binary(min_size=32, max_size=32)
snapshot_ids = st.none() | ids.map(lambda raw: SnapshotId(raw.hex()))
snapshots = st.builds(
    Snapshot,
    id=st.just(ID),
    time=moments,
    tree=ids.map(BlobId),
    paths=st.lists(texts, max_size=3).map(tuple),
    hostname=texts,
    username=texts,
    uid=counts,
    gid=counts,
    tags=st.lists(texts, max_size=3).map(tuple),
    excludes=st.lists(texts, max_size=3).map(tuple),
    parent=snapshot_ids,
    original=snapshot_ids,
    program_version=texts,
    summary=st.none() | st.builds(BackupSummary, moments, moments, *([counts] * 12)),
    extra=st.dictionaries(
        texts.map(lambda text: f"x-{text}"),
        st.recursive(st.none() | st.booleans() | counts | texts, st.lists, max_leaves=3),
        max_size=2,
    ),
)


@given(snapshots)
def test_a_snapshot_comes_back(snapshot: Snapshot) -> None:
    assert decode_snapshot(encode_snapshot(snapshot), ID) == snapshot


def test_a_snapshot_of_new_restic_is_read_with_its_summary() -> None:
    snapshot = decode_snapshot(json.dumps(RESTIC_0_19).encode(), ID)

    assert snapshot.tree.hex() == "22" * 32
    assert snapshot.time == datetime(2026, 5, 1, 8, 0, 0, 123_456, UTC)
    assert snapshot.parent == "11" * 32
    assert snapshot.original == "33" * 32
    assert snapshot.summary is not None
    assert snapshot.summary.files_new == 1
    assert snapshot.summary.total_bytes_processed == 12
    assert snapshot.extra == {}


def test_every_field_of_restic_is_written_under_restics_name() -> None:
    snapshot = decode_snapshot(json.dumps(RESTIC_0_19).encode(), ID)

    again = json.loads(encode_snapshot(snapshot))

    assert again.keys() == RESTIC_0_19.keys()
    summary = RESTIC_0_19["summary"]
    assert isinstance(summary, dict)
    assert again["summary"].keys() == summary.keys()


def test_fields_we_do_not_know_survive_being_written_again() -> None:
    text = {**RESTIC_0_19, "future": {"deep": [1, None, "x"]}, "another": 0.5}

    snapshot = decode_snapshot(json.dumps(text).encode(), ID)
    again = json.loads(encode_snapshot(snapshot))

    assert again["future"] == {"deep": [1, None, "x"]}
    assert again["another"] == 0.5


def test_paths_and_patterns_of_any_bytes_can_be_committed() -> None:
    snapshot = Snapshot(
        id=ID,
        time=NOW,
        tree=BlobId(bytes(32)),
        paths=("/odd/\udcff",),
        excludes=("\udcfe*",),
        tags=("\udc80",),
    )

    found = decode_snapshot(encode_snapshot(snapshot), ID)

    assert (found.paths, found.excludes, found.tags) == (
        ("/odd/\ufffd",),
        ("\ufffd*",),
        ("\ufffd",),
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"x":' + b"[" * 100_000,
        json.dumps(RESTIC_0_19 | {"tree": "22"}).encode(),
        json.dumps(RESTIC_0_19 | {"tree": None}).encode(),
        json.dumps(RESTIC_0_19 | {"tree": "x" * 64}).encode(),
        json.dumps(RESTIC_0_19 | {"time": "today"}).encode(),
        json.dumps(RESTIC_0_19 | {"paths": "/home"}).encode(),
    ],
)
def test_what_is_no_snapshot_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_snapshot(text, ID)


@pytest.mark.parametrize("tree", ["22", "x" * 64, "é" * 64, " ".join(["22"] * 32), ""])
def test_a_tree_that_is_none_is_told_in_our_words(tree: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        decode_snapshot(json.dumps(RESTIC_0_19 | {"tree": tree}).encode(), ID)
    assert caught.value.message == f"Snapshot {ID[:8]} names no tree: {tree!r}."
