"""Stored content as a seekable file: any place, only the blobs needed, damage told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.model.node import Node
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.stored_file import Section, StoredFile, section_of
from backup_agent.services.browse import PointBrowser
from backup_agent.storage.backend import FileKind, ObjectKey
from tests.points import back_up, new_repository, reopen

CONTENT = random.Random(3).randbytes(9 << 20)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[BlobReader, Node]]:
    file = tmp_path / "content"
    file.write_bytes(CONTENT)
    repository = new_repository()
    snapshot = back_up(repository, file).snapshot
    assert snapshot is not None
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        path = tuple(bytes(file).split(b"/")[1:])
        yield reader, PointBrowser(reader, snapshot).find(path)


def test_any_place_reads_as_it_was(stored: tuple[BlobReader, Node]) -> None:
    reader, node = stored
    file = StoredFile(reader, [section_of(node)])
    assert file.size == len(CONTENT)
    dice = random.Random(7)
    for _ in range(200):
        offset, size = dice.randrange(len(CONTENT) + 9), dice.choice([1, 512, 70_000, 3 << 20])
        assert file.read_at(offset, size) == CONTENT[offset : offset + size]
    file.seek(5)
    assert (file.read(10), file.tell()) == (CONTENT[5:15], 15)
    file.seek(-4, 2)
    assert (file.read(), file.read()) == (CONTENT[-4:], b"")


def test_sections_are_joined_and_looked_up_only_when_touched(
    stored: tuple[BlobReader, Node],
) -> None:
    reader, node = stored

    def never() -> tuple[()]:
        raise AssertionError("nobody read here")

    file = StoredFile(reader, [section_of(node), section_of(node), Section(100, never)])
    seam = len(CONTENT)
    assert file.read_at(seam - 3, 6) == CONTENT[-3:] + CONTENT[:3]


def test_content_that_does_not_add_up_is_damage(stored: tuple[BlobReader, Node]) -> None:
    reader, node = stored
    file = StoredFile(reader, [Section(node.size + 1, lambda: node.content or ())])
    with pytest.raises(IntegrityError, match="its size says"):
        file.read_at(0, 1)


def test_lost_blob_is_an_error_where_it_is_read_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "a").write_bytes(CONTENT)
    repository = new_repository()
    back_up(repository, folder)
    packs = set(repository.backend.list(FileKind.PACK))
    (folder / "b").write_bytes(CONTENT[::-1])
    snapshot = back_up(repository, folder).snapshot
    assert snapshot is not None
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        way = tuple(bytes(folder).split(b"/")[1:])
        whole, lost = PointBrowser(reader, snapshot).list_folder(way)
        for info in set(fresh.backend.list(FileKind.PACK)) - packs:
            fresh.backend.remove(ObjectKey(FileKind.PACK, info.name))
        file = StoredFile(reader, [section_of(whole), section_of(lost)])
        with pytest.raises(IntegrityError, match="missing"):
            file.read_at(len(CONTENT) + 5, 1)
        assert file.read_at(0, len(CONTENT)) == CONTENT
