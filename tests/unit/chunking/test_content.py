"""Content-defined cuts: frozen, within limits, and the same however the data came."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_agent.chunking.content import MAX_SIZE, MIN_SIZE, ContentChunker
from backup_agent.crypto.cipher import MasterKey
from backup_agent.format.pack import BlobKind
from backup_agent.repository import slab, writer
from backup_agent.repository.reader import BlobReader
from backup_agent.services import tree_saver
from tests.points import back_up, new_repository, reopen

KEY = MasterKey.from_bytes(bytes(range(64)))
FROZEN = [2219618, 1624200, 595631, 1305996, 1945253, 1360896, 1117263, 663957, 1127948, 39238]


def stream_of_hashes(size: int) -> bytes:
    """Bytes that any language makes alike: SHA-256 of a counter, one hash after another."""
    blocks = (hashlib.sha256(n.to_bytes(8, "big")).digest() for n in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def cuts(chunker: ContentChunker, data: bytes) -> list[int]:
    return chunker.cut(memoryview(data), last=True)


def fed(chunker: ContentChunker, data: bytes, reads: Sequence[int]) -> list[int]:
    """As the tree saver feeds it: what was held back comes again, with more behind it."""
    lengths: list[int] = []
    start = end = turn = 0
    while True:
        end = min(len(data), end + reads[turn % len(reads)])
        turn += 1
        last = end == len(data)
        found = chunker.cut(memoryview(data)[start:end], last=last)
        lengths += found
        start += sum(found)
        if last:
            return lengths


def test_the_cuts_of_a_known_stream_are_frozen() -> None:
    # docs/adr/0002: another cut would make every repository grow by a whole backup.
    assert cuts(ContentChunker(KEY), stream_of_hashes(12_000_000)) == FROZEN


@given(
    seed=st.integers(0, 50),
    size=st.integers(0, 12_000_000),
    reads=st.lists(st.integers(1, 9_000_000), min_size=1, max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_cuts_do_not_depend_on_how_the_data_came(seed: int, size: int, reads: list[int]) -> None:
    # Every other stream is one that compresses: long runs give no cuts by content.
    pool = random.Random(seed).randbytes(1_000_000)
    data = (pool * 13 if seed % 2 else bytes(3_000_000) + pool * 10)[:size]
    reads = [max(read, 50_000) for read in reads]

    assert fed(ContentChunker(KEY), data, reads) == cuts(ContentChunker(KEY), data)


@given(st.binary(min_size=64, max_size=64))
@settings(max_examples=40, deadline=None)
def test_any_key_cuts_within_the_limits(key: bytes) -> None:
    data = stream_of_hashes(6_000_000)
    lengths = cuts(ContentChunker(MasterKey.from_bytes(key)), data)

    assert sum(lengths) == len(data)
    assert all(MIN_SIZE <= length <= MAX_SIZE for length in lengths[:-1])
    assert 0 < lengths[-1] <= MAX_SIZE


def test_keys_cut_differently() -> None:
    data = stream_of_hashes(6_000_000)
    seen = {
        tuple(cuts(ContentChunker(MasterKey.from_bytes(bytes([n]) * 64)), data)) for n in range(10)
    }

    assert len(seen) == 10


def test_zeros_are_cut_at_the_maximum() -> None:
    assert cuts(ContentChunker(KEY), bytes(2 * MAX_SIZE + 1)) == [MAX_SIZE, MAX_SIZE, 1]


@pytest.mark.parametrize("size", [0, 1, MIN_SIZE - 1, MIN_SIZE])
def test_small_streams_are_one_chunk(size: int) -> None:
    assert cuts(ContentChunker(KEY), stream_of_hashes(size)) == [size] * (size > 0)


@pytest.mark.parametrize("position", [1_000_000, 10_000_000, 19_000_000])
def test_an_insertion_moves_only_the_cuts_near_it(position: int) -> None:
    data = random.Random(1).randbytes(20_000_000)
    changed = data[:position] + b"something new" + data[position:]

    before, after = (pieces(cuts(ContentChunker(KEY), d), d) for d in (data, changed))

    assert sum(len(piece) for piece in after - before) <= 3 * MAX_SIZE


def pieces(lengths: Sequence[int], data: bytes) -> set[bytes]:
    found: set[bytes] = set()
    start = 0
    for length in lengths:
        found.add(data[start : start + length])
        start += length
    return found


@pytest.mark.parametrize("slab_size", [5 << 20, 6_000_001, 8 << 20])
def test_the_tree_saver_stores_these_cuts_wherever_a_file_starts_in_a_slab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slab_size: int
) -> None:
    for module in (slab, writer, tree_saver):
        monkeypatch.setattr(module, "SLAB_SIZE", slab_size)
    sizes = [1, 300_000, 4_999_999, 10_000_000, 700_000, 17_000_000, 0, slab_size, slab_size - 1]
    files = {f"{n}": random.Random(n).randbytes(size) for n, size in enumerate(sizes)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    repository = new_repository()
    tree = back_up(repository, tmp_path).snapshot.tree

    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        for part in tmp_path.parts[1:]:
            (node,) = (n for n in reader.load_tree(tree) if n.name == part.encode())
            assert node.subtree is not None
            tree = node.subtree
        for node in reader.load_tree(tree):
            stored = [fresh.index.plain_length(BlobKind.DATA, blob) for blob in node.content or ()]
            expected = cuts(ContentChunker(repository.master), files[node.name.decode()])
            assert stored == expected
