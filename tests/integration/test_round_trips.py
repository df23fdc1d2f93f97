"""How many requests it takes to see a file inside a stored volume: over a network, each is a wait.

Counted and not timed. With 50 ms a request, 30 of them and a second of work are 2.5
seconds; the promise is two, to the first byte, on a repository opened for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.model.events import ignore
from backup_agent.repository.repository import Repository
from backup_agent.services.browse import parse_path
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.repositories import reading
from backup_agent.sources.disk import open_disk_source
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey
from backup_agent.storage.cache import CachingBackend
from backup_agent.storage.memory import MemoryBackend
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import make_empty, mounted_ntfs
from tests.points import back_up, new_repository, reopen

CONTENT = b"seen by a look-up alone"
FEW, MANY = 2_000, 100_000


class CountingBackend(MemoryBackend):
    """``requests`` are those since the last ``forget``."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []

    def save(self, key: ObjectKey, data: Data) -> None:
        self.requests.append(f"save {key.path}")
        super().save(key, data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        self.requests.append(f"load {key.path} {offset} {length}")
        return super().load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        self.requests.append(f"size {key.path}")
        return super().size(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        self.requests.append(f"list {kind.value}")
        return super().list(kind)


def store_volume(folder: Path, *, size: int, names: int) -> CountingBackend:
    """A restore point of an NTFS volume with an ordinary path and one through a large folder."""
    volume = make_empty(folder / "volume", size, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, folder / "mounted") as mounted:
        (mounted / "Users" / "me" / "documents").mkdir(parents=True)
        (mounted / "Users" / "me" / "documents" / "report").write_bytes(CONTENT)
        many = mounted / "Users" / "me" / "many"
        many.mkdir()
        for number in range(names):
            (many / f"entry number {number:06d} of many").touch()
        (many / "entry sought").write_bytes(CONTENT)
    backend = CountingBackend()
    source = open_disk_source(current_host(), [str(volume)])
    back_up(new_repository(backend), source)
    source.close()
    return backend


def requests_to_first_byte(counted: CountingBackend, path: str, *, cache: Path) -> list[str]:
    """Opening the repository included, closing it not."""
    counted.requests.clear()
    repository: Repository = reopen(counted)
    backend: Backend = CachingBackend(repository.backend, cache)
    repository.backend = backend
    with (
        reading(repository, emit=ignore) as reader,
        DeepBrowser(reader, repository.snapshot("latest")) as browser,
    ):
        inside = browser.look_up(parse_path(path)).inside
        assert inside is not None
        assert next(inside.pieces()) == CONTENT
        return list(counted.requests)


@pytest.mark.parametrize(
    ("size", "names"),
    [(64 * MIB, FEW), pytest.param(600 * MIB, MANY, marks=pytest.mark.full)],
)
def test_first_byte_of_a_file_in_a_volume_takes_few_requests(
    tmp_path: Path, size: int, names: int
) -> None:
    backend = store_volume(tmp_path, size=size, names=names)
    for number, (path, most) in enumerate(
        [
            ("/disk0/volume0/Users/me/documents/report", 16),
            ("/disk0/volume0/Users/me/many/entry sought", 22),
        ]
    ):
        cache = tmp_path / f"cache{number}"
        cold = requests_to_first_byte(backend, path, cache=cache)
        warm = requests_to_first_byte(backend, path, cache=cache)
        assert len(cold) <= most, cold
        # Kept are the index, the snapshot and the trees.
        assert len(warm) <= len(cold) - 3, warm
