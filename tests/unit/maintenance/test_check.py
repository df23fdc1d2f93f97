"""Every kind of damage is found, and the finding names the file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    IntegrityError,
    JobCancelledError,
    RepositoryLockedError,
    WrongPasswordError,
)
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.format.tree import encode_tree
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, Notice, Progress, ignore
from backup_agent.model.finding import Severity
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import EVERYTHING, parse_subset
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import Repository
from backup_agent.repository.writer import BlobWriter
from backup_agent.services.check import run_check
from backup_agent.storage.backend import CONFIG, FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.memory import MemoryBackend

from .workshop import back_up, check, create, fill, flip_bit, keys, reopen, truncate


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def repository(backend: MemoryBackend, tmp_path: Path) -> Repository:
    repository = create(backend)
    fill(tmp_path / "source", "a", "b")
    back_up(repository, tmp_path / "source")
    return repository


def packs_of(repository: Repository, kind: BlobKind) -> list[ObjectKey]:
    packs = merge_packs(load_index_files(repository)).values()
    return [ObjectKey(FileKind.PACK, p.id) for p in packs if p.blobs[0].kind is kind]


def test_whole_repository_has_no_findings(repository: Repository) -> None:
    report = check(repository)
    assert report.findings == ()
    assert (report.snapshots, report.index_files, report.packs, report.packs_read) == (1, 1, 2, 2)
    report.raise_for_errors()


@pytest.mark.parametrize("kind", [FileKind.INDEX, FileKind.SNAPSHOT, FileKind.PACK, FileKind.KEY])
def test_every_flipped_bit_names_the_file(
    backend: MemoryBackend, repository: Repository, kind: FileKind
) -> None:
    whole = dict(backend.objects)
    for key in keys(backend, kind):
        size = backend.size(key)
        for position in {0, 17, size // 2, size - 20, size - 1}:
            backend.objects = dict(whole)
            flip_bit(backend, key, position)
            report = check(repository)
            assert key.path in {f.file for f in report.errors}, f"bit at {position} of {key.path}"


@pytest.mark.parametrize("by", [1, 40, 10**9])
@pytest.mark.parametrize("kind", [FileKind.INDEX, FileKind.SNAPSHOT, FileKind.PACK, FileKind.KEY])
def test_every_truncation_names_the_file(
    backend: MemoryBackend, repository: Repository, kind: FileKind, by: int
) -> None:
    whole = dict(backend.objects)
    for key in keys(backend, kind):
        backend.objects = dict(whole)
        truncate(backend, key, min(by, backend.size(key)))
        assert key.path in {finding.file for finding in check(repository).errors}


def test_truncated_pack_is_found_without_reading_data(
    backend: MemoryBackend, repository: Repository
) -> None:
    key = packs_of(repository, BlobKind.DATA)[0]
    truncate(backend, key)
    report = run_check(repository, emit=ignore, cancel=CancelToken())
    assert [finding.file for finding in report.errors] == [key.path]


def test_damaged_config_is_named_when_the_repository_is_opened(
    backend: MemoryBackend, repository: Repository
) -> None:
    flip_bit(backend, CONFIG, 30)
    with pytest.raises(IntegrityError, match="config"):
        reopen(backend)


def test_only_key_damaged_is_named_when_the_repository_is_opened(
    backend: MemoryBackend, repository: Repository
) -> None:
    key = keys(backend, FileKind.KEY)[0]
    truncate(backend, key)
    with pytest.raises((IntegrityError, WrongPasswordError), match=key.name):
        reopen(backend)


def test_missing_pack_is_an_error_and_says_what_needs_it(
    backend: MemoryBackend, repository: Repository
) -> None:
    (key,) = packs_of(repository, BlobKind.TREE)
    backend.remove(key)
    report = check(repository)
    messages = [finding.message for finding in report.errors if finding.file == key.path]
    assert "the pack is missing" in messages
    assert any("restore point" in message for message in messages)
    with pytest.raises(IntegrityError, match=r"The repository is damaged\. .* more\."):
        report.raise_for_errors()


def test_damage_is_followed_to_every_point_and_file_it_hits(
    backend: MemoryBackend, repository: Repository, tmp_path: Path
) -> None:
    (key,) = packs_of(repository, BlobKind.DATA)
    (first,) = repository.snapshots()
    fill(tmp_path / "source", "c")
    second = back_up(repository, tmp_path / "source")
    fill(tmp_path / "other", "d")
    other = back_up(repository, tmp_path / "other")
    backend.remove(key)
    hit = {f.file: f.message for f in check(repository).errors if f.file != key.path}
    assert hit.keys() == {f"snapshots/{first.id}", f"snapshots/{second.id}"}
    source = tmp_path / "source"
    for message in hit.values():
        assert message.endswith(f"not whole: {source}/a, {source}/b")
    assert not any(other.short_id in message for message in hit.values())


def test_flipped_bit_is_followed_to_its_file_alone(
    backend: MemoryBackend, repository: Repository, tmp_path: Path
) -> None:
    (key,) = packs_of(repository, BlobKind.DATA)
    flip_bit(backend, key, 40)
    (message,) = (f.message for f in check(repository).errors if f.file.startswith("snapshots"))
    assert message.endswith((f"not whole: {tmp_path}/source/a", f"not whole: {tmp_path}/source/b"))


def test_blob_that_another_pack_holds_whole_hits_nothing(
    backend: MemoryBackend, repository: Repository, tmp_path: Path
) -> None:
    """Two computers that saved the same at the same time."""
    (key,) = packs_of(repository, BlobKind.DATA)
    alone = {one.path: backend.load(one) for one in keys(backend, FileKind.INDEX)}
    for one in keys(backend, FileKind.INDEX):
        backend.remove(one)
    fresh = reopen(backend)
    back_up(fresh, tmp_path / "source")
    assert len(packs_of(fresh, BlobKind.DATA)) == 1
    for path, content in alone.items():
        backend.save(ObjectKey(FileKind.INDEX, path.removeprefix("index/")), content)
    backend.remove(key)
    assert {finding.file for finding in check(repository).errors} == {key.path}


def test_many_hit_files_are_counted_and_only_the_first_named(
    backend: MemoryBackend, repository: Repository, tmp_path: Path
) -> None:
    fill(tmp_path / "many", *(f"file{number:03}" for number in range(40)))
    back_up(repository, tmp_path / "many")
    for key in packs_of(repository, BlobKind.DATA):
        backend.remove(key)
    messages = [f.message for f in check(repository).errors if f.file.startswith("snapshots")]
    assert len(messages) == 2
    assert any(m.endswith("file009 and 30 more") for m in messages), messages


def test_folder_that_cannot_be_listed_is_named_for_every_point(
    backend: MemoryBackend, repository: Repository, tmp_path: Path
) -> None:
    (key,) = packs_of(repository, BlobKind.TREE)
    (first,) = repository.snapshots()
    fill(tmp_path / "other", "d")
    back_up(repository, tmp_path / "other")
    backend.remove(key)
    errors = check(repository).errors
    (lost,) = [f.message for f in errors if f.file.startswith("snapshots") and "lost" in f.message]
    assert f"restore point {first.short_id} is lost" in lost


def test_missing_index_is_told_by_the_trees_it_knew(
    backend: MemoryBackend, repository: Repository
) -> None:
    (index,) = keys(backend, FileKind.INDEX)
    (snapshot,) = keys(backend, FileKind.SNAPSHOT)
    backend.remove(index)
    report = check(repository)
    assert {finding.file for finding in report.errors} == {snapshot.path}
    assert {f.file for f in report.findings if f.severity is Severity.HINT} == {
        key.path for key in keys(backend, FileKind.PACK)
    }


def test_stray_pack_and_unneeded_blobs_are_hints_and_no_errors(
    backend: MemoryBackend, repository: Repository
) -> None:
    stray = ObjectKey(FileKind.PACK, "cd" * 32)
    backend.save(stray, b"stray")
    repository.remove_snapshot(repository.snapshots()[0].id)
    report = check(repository)
    assert report.errors == ()
    assert {finding.file for finding in report.findings} == {
        key.path for key in keys(backend, FileKind.PACK)
    }
    report.raise_for_errors()


def commit(repository: Repository, *nodes: Node) -> Snapshot:
    """A restore point of exactly these nodes, however odd."""
    repository.load_index()
    with BlobWriter(repository) as writer:
        tree = writer.save_tree(encode_tree(nodes))
        writer.finish()
    return repository.save_snapshot(replace(repository.snapshots()[0], tree=tree))


GONE = BlobId(hashlib.sha256(b"gone").digest())
EMPTY = Node(name=b"a", kind=NodeKind.FILE, content=())


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([EMPTY, EMPTY], "more than once"),
        ([Node(name=b"../x", kind=NodeKind.FILE, content=())], "no name"),
        ([Node(name=b"..", kind=NodeKind.FILE, content=())], "no name"),
        ([Node(name=b"x", kind=NodeKind.FILE, content=(GONE,), size=4)], "in no index"),
        ([Node(name=b"x", kind=NodeKind.FILE, content=(), size=4)], "has 4 bytes"),
        ([Node(name=b"x", kind=NodeKind.FILE)], "no content"),
        ([Node(name=b"x", kind=NodeKind.FOLDER)], "no tree"),
        ([Node(name=b"x", kind=NodeKind.FOLDER, subtree=GONE)], "in no index"),
    ],
)
def test_tree_that_makes_no_sense_is_an_error(
    repository: Repository, nodes: list[Node], words: str
) -> None:
    point = commit(repository, *nodes)
    finding = check(repository).errors[0]
    assert words in finding.message
    assert point.short_id in finding.message


def test_unsorted_tree_is_a_hint(repository: Repository) -> None:
    commit(repository, Node(name=b"b", kind=NodeKind.FIFO), Node(name=b"a", kind=NodeKind.FIFO))
    report = check(repository)
    assert report.errors == ()
    assert any("not sorted" in finding.message for finding in report.findings)


def elsewhere(blob: PackedBlob) -> PackedBlob:
    return PackedBlob(blob.id, blob.kind, blob.offset + 1, blob.length, blob.raw_length)


def test_index_that_contradicts_a_header_is_found_by_reading_headers(
    backend: MemoryBackend, repository: Repository
) -> None:
    (data,) = packs_of(repository, BlobKind.DATA)
    (file,) = load_index_files(repository)
    wrong = tuple(
        replace(pack, blobs=tuple(elsewhere(blob) for blob in pack.blobs))
        if pack.id == data.name
        else pack
        for pack in file.packs
    )
    backend.remove(ObjectKey(FileKind.INDEX, file.name))
    repository.save_index(wrong)
    report = run_check(repository, headers=True, emit=ignore, cancel=CancelToken())
    assert any(f.file == data.path and "header names" in f.message for f in report.errors)


def test_successive_shares_cover_every_pack(tmp_path: Path) -> None:
    repository = create(MemoryBackend())
    for number in range(8):
        fill(tmp_path / "source", f"file{number}")
        back_up(repository, tmp_path / "source")
    read = 0
    for day in range(20_000, 20_004):
        subset = parse_subset("25%", rotation=day)
        report = run_check(repository, read_data=subset, emit=ignore, cancel=CancelToken())
        read += report.packs_read
    assert read == report.packs == 16


def test_check_runs_beside_a_backup_and_not_beside_a_prune(repository: Repository) -> None:
    with RepositoryLock(repository):
        check(repository)
    with RepositoryLock(repository, exclusive=True), pytest.raises(RepositoryLockedError):
        check(repository)


def test_read_only_storage_is_checked_without_a_lock(
    backend: MemoryBackend, repository: Repository
) -> None:
    events: list[Event] = []
    read_only = reopen(FaultyBackend(backend, fail_at=1, error=AccessDeniedError))
    report = run_check(read_only, read_data=EVERYTHING, emit=events.append, cancel=CancelToken())
    assert report.findings == ()
    assert any(isinstance(event, Notice) and "read-only" in event.message for event in events)


def test_check_tells_how_far_it_is_and_can_be_stopped(repository: Repository) -> None:
    events: list[Event] = []
    run_check(repository, read_data=EVERYTHING, emit=events.append, cancel=CancelToken())
    last = events[-1]
    assert isinstance(last, Progress)
    assert last.bytes_done == last.bytes_total > 6000
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(JobCancelledError):
        run_check(repository, read_data=EVERYTHING, emit=ignore, cancel=cancel)
