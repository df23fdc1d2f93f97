"""Opening a repository whose files are missing, damaged or hostile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.errors import (
    IntegrityError,
    NoSuchPointError,
    RepositoryExistsError,
    RepositoryNotFoundError,
    WrongPasswordError,
)
from backup_agent.repository.keys import add_key, remove_key
from backup_agent.repository.repository import DamagedFile, Repository, open_repository
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from tests.points import WEAK, back_up, new_repository, reopen

Mutation = Callable[[bytes], bytes]
MUTATIONS: list[Mutation] = [
    lambda data: b"",
    lambda data: data[:-1],
    lambda data: data[: len(data) // 2],
    lambda data: data[:20] + bytes([data[20] ^ 4]) + data[21:],
    lambda data: data + b"\0",
]
mutations = pytest.mark.parametrize(
    "mutate", MUTATIONS, ids=["empty", "short", "half", "bit", "long"]
)


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def repository(backend: MemoryBackend, tmp_path: Path) -> Repository:
    repository = new_repository(backend)
    (tmp_path / "file").write_text("content")
    back_up(repository, tmp_path)
    return repository


def spoil(backend: MemoryBackend, kind: str, mutate: Mutation) -> str:
    """Change the one file of that kind; returns its path."""
    (path,) = [path for path in backend.objects if path.startswith(kind)]
    backend.objects[path] = mutate(backend.objects[path])
    return path


def test_no_repository_is_said_to_be_none(backend: MemoryBackend) -> None:
    with pytest.raises(RepositoryNotFoundError, match="no repository at memory"):
        reopen(backend)


def test_a_repository_is_never_made_over_another(
    backend: MemoryBackend, repository: Repository
) -> None:
    before = dict(backend.objects)
    with pytest.raises(RepositoryExistsError):
        new_repository(backend)
    del backend.objects["config"]
    with pytest.raises(RepositoryExistsError):
        new_repository(backend)

    assert backend.objects == {path: d for path, d in before.items() if path != "config"}


def test_a_wrong_password_is_called_so(backend: MemoryBackend, repository: Repository) -> None:
    with pytest.raises(WrongPasswordError):
        open_repository(backend, "wrong")


def test_every_password_opens_until_it_is_removed(
    backend: MemoryBackend, repository: Repository
) -> None:
    name = add_key(backend, repository.master, "second", parameters=WEAK)
    assert open_repository(backend, "second").master == repository.master
    remove_key(backend, name, in_use=repository.key_name)

    with pytest.raises(WrongPasswordError):
        open_repository(backend, "second")
    assert reopen(backend).master == repository.master


@mutations
def test_a_damaged_config_is_named(
    backend: MemoryBackend, repository: Repository, mutate: Mutation
) -> None:
    spoil(backend, "config", mutate)

    with pytest.raises(IntegrityError, match="config"):
        reopen(backend)


@mutations
def test_the_only_key_file_damaged_is_named(
    backend: MemoryBackend, repository: Repository, mutate: Mutation
) -> None:
    path = spoil(backend, "keys/", mutate)

    with pytest.raises(IntegrityError, match=path):
        reopen(backend)


@pytest.mark.parametrize(
    "hostile",
    [b"{}", b"[" * 100_000, b"\xff", json.dumps({"kdf": "x"}).encode()],
    ids=["empty", "deep", "binary", "other"],
)
def test_a_hostile_key_file_does_not_lock_the_others_out(
    backend: MemoryBackend, repository: Repository, hostile: bytes
) -> None:
    backend.objects[f"keys/{hashlib.sha256(hostile).hexdigest()}"] = hostile
    backend.objects[f"keys/{'00' * 32}"] = b"cut sh"

    assert reopen(backend).master == repository.master
    with pytest.raises(WrongPasswordError, match="Damaged and not tried"):
        open_repository(backend, "wrong")


@mutations
def test_a_damaged_index_is_named(
    backend: MemoryBackend, repository: Repository, mutate: Mutation
) -> None:
    path = spoil(backend, "index/", mutate)
    fresh = reopen(backend)
    with pytest.raises(IntegrityError, match=path):
        fresh.load_index()

    damaged: list[DamagedFile] = []
    assert list(fresh.load_indexes(on_damage=damaged.append)) == []
    assert [file.key.path for file in damaged] == [path]


@mutations
def test_a_damaged_point_is_named_and_hides_no_other(
    backend: MemoryBackend, repository: Repository, tmp_path: Path, mutate: Mutation
) -> None:
    path = spoil(backend, "snapshots/", mutate)
    fresh = reopen(backend)
    with pytest.raises(IntegrityError, match=path):
        fresh.snapshots()
    new = back_up(repository, tmp_path).snapshot

    assert fresh.snapshots(on_damage=lambda _file: None) == [new]
    assert fresh.snapshot(new.id) == new
    # The damaged one might be newer.
    with pytest.raises(IntegrityError, match=path):
        fresh.snapshot("latest")


def test_a_body_damaged_on_its_way_is_fetched_once_more(repository: Repository) -> None:
    class Flaky(MemoryBackend):
        bad = 1

        def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
            data = super().load(key, offset, length)
            if key.kind is FileKind.INDEX and Flaky.bad:
                Flaky.bad -= 1
                return bytes([data[0] ^ 1]) + data[1:]
            return data

    assert isinstance(repository.backend, MemoryBackend)
    flaky = Flaky()
    flaky.objects = repository.backend.objects
    fresh = reopen(flaky)
    fresh.load_index()

    assert len(fresh.index)
    assert Flaky.bad == 0


def test_points_are_found_by_the_start_of_their_id(repository: Repository) -> None:
    (point,) = repository.snapshots()

    assert repository.snapshot(point.id[:6]) == repository.snapshot("latest") == point
    for wanted in ("", "zz", point.id + "0"):
        with pytest.raises(NoSuchPointError):
            repository.snapshot(wanted)
