"""Repositories that stock restic and earlier versions left behind open and give all back."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import pytest

from backup_agent.format.pack import BlobKind
from backup_agent.format.stored_tree import split_tree
from backup_agent.format.tree import decode_tree, encode_tree, join_tree
from backup_agent.repository.reader import BlobReader
from backup_agent.storage.local import LocalBackend
from tests.points import back_up, below, holdings, reopen
from tests.restic import Restic

VECTORS = Path(__file__).parent.parent / "vectors"
NAMES = sorted(path.stem for path in VECTORS.glob("*.tar"))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param


@pytest.fixture
def place(name: str, tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    with tarfile.open(VECTORS / f"{name}.tar") as tar:
        tar.extractall(place, filter="data")
    LocalBackend(place).prepare()
    return place


def test_the_vectors_are_there() -> None:
    assert {"restic-0.14-v1", "restic-0.14-v2", "everboot-0.1.0"} <= set(NAMES)


def test_a_frozen_repository_gives_everything_back(name: str, place: Path) -> None:
    expected = json.loads((VECTORS / f"{name}.json").read_text())
    repository = reopen(LocalBackend(place))
    (snapshot,) = repository.snapshots()
    items = below(holdings(repository, snapshot), Path(snapshot.paths[0]))

    assert {path.hex() for path in items} == expected.keys()
    inodes: dict[str, int] = {}
    for path, item in items.items():
        fact, node = expected[path.hex()], item.node
        assert node.permissions == stat.S_IMODE(fact["mode"]), path
        assert [node.uid, node.gid] == fact["owner"]
        assert node.mtime_ns == fact["mtime_ns"]
        assert {x.name: x.value.hex() for x in node.xattrs} == fact["xattrs"]
        shown = item.sha256 or node.link_target.hex() or (str(node.device) if node.device else "")
        assert shown == fact["content"]
        assert inodes.setdefault(fact["same_as"], node.inode) == node.inode


def test_a_frozen_repository_can_be_continued(place: Path, tmp_path: Path) -> None:
    repository = reopen(LocalBackend(place))
    (old,) = repository.snapshots()
    held = holdings(repository, old)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "new").write_text("new")
    new = back_up(repository, tmp_path / "source").snapshot

    assert holdings(repository, old) == held
    assert below(holdings(repository, new), tmp_path / "source").keys() == {b"new"}
    Restic(place).check()


def test_trees_that_restic_wrote_are_ours_byte_for_byte(place: Path) -> None:
    repository = reopen(LocalBackend(place))
    repository.load_index()
    trees = [found.blob.id for found in repository.index if found.blob.kind is BlobKind.TREE]

    assert len(trees) >= 4
    with BlobReader(repository) as reader:
        for tree in trees:
            stored = reader.load_tree_bytes(tree)
            assert encode_tree(decode_tree(stored)) == stored
            assert join_tree(raw for _, raw in split_tree(stored)) == stored
