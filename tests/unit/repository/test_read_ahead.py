"""What many streams hold together while nobody takes anything of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.model.ids import BlobId
from backup_agent.repository.read_ahead import ReadAhead
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from tests.points import back_up, holdings, new_repository, reopen

MIB = 1 << 20
BLOB = 64 << 10
BLOBS = 64
WINDOW = MIB
ALLOWED = 4 * MIB


class Reading:
    """One stream, and how many blobs it has asked for and given."""

    def __init__(self, reader: BlobReader, blobs: Sequence[BlobId]) -> None:
        self.asked = self.given = 0
        self.pieces = reader.stream(self._asked_for(blobs))

    def take_one(self) -> None:
        assert not isinstance(next(self.pieces), IntegrityError)
        self.given += 1

    def take_the_rest(self) -> None:
        while self.given < BLOBS:
            self.take_one()
        assert next(self.pieces, None) is None

    @property
    def held(self) -> int:
        """Bytes, and the blob that was only looked at because it found no room."""
        return (self.asked - self.given) * BLOB

    def _asked_for(self, blobs: Sequence[BlobId]) -> Iterator[BlobId]:
        for blob in blobs:
            self.asked += 1
            yield blob


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, list[BlobId]]:
    folder = tmp_path_factory.mktemp("blobs")
    random_bytes = random.Random(7).randbytes
    for number in range(BLOBS):
        (folder / f"{number}.bin").write_bytes(random_bytes(BLOB))
    repository = new_repository()
    point = back_up(repository, folder).snapshot
    fresh = reopen(repository.backend)
    fresh.load_index()
    nodes = [item.node for item in holdings(repository, point).values()]
    return fresh, [blob for node in nodes for blob in node.content or ()]


def test_one_stream_alone_fetches_two_windows(
    stored: tuple[Repository, list[BlobId]],
) -> None:
    repository, blobs = stored
    with BlobReader(repository, window_bytes=WINDOW) as reader:
        reading = Reading(reader, blobs)
        reading.take_one()
        assert WINDOW < reading.held <= 2 * WINDOW
        reading.take_the_rest()


def test_many_streams_that_nobody_reads_hold_little_together(
    stored: tuple[Repository, list[BlobId]],
) -> None:
    repository, blobs = stored
    read_ahead = ReadAhead(ALLOWED)
    with BlobReader(repository, window_bytes=WINDOW, read_ahead=read_ahead) as reader:
        readings = [Reading(reader, blobs) for _ in range(20)]
        for reading in readings:
            reading.take_one()
        assert sum(reading.held for reading in readings) <= ALLOWED + len(readings) * 2 * BLOB
        # Nobody waits for those that stand still.
        for reading in reversed(readings):
            reading.take_the_rest()
    assert read_ahead.grant(ALLOWED) == ALLOWED // 4


def test_a_stream_that_is_given_up_gives_back_what_it_was_granted(
    stored: tuple[Repository, list[BlobId]],
) -> None:
    repository, blobs = stored
    read_ahead = ReadAhead(ALLOWED)
    with BlobReader(repository, window_bytes=WINDOW, read_ahead=read_ahead) as reader:
        for taken in (1, 20):
            pieces = reader.stream(blobs)
            for _ in range(taken):
                next(pieces)
            pieces.close()  # type: ignore[attr-defined]  # a generator
        with pytest.raises(ZeroDivisionError):
            list(reader.stream(_broken(blobs)))
    assert read_ahead.grant(ALLOWED) == ALLOWED // 4


def _broken(blobs: Sequence[BlobId]) -> Iterator[BlobId]:
    yield from blobs[:20]
    raise ZeroDivisionError
