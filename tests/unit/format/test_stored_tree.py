"""The parent's trees: what is taken over in one go is what each entry's name would have found."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.stored_tree import StoredTree, content_ids, is_unchanged
from backup_agent.format.tree import encode_head, encode_node, encode_tree, join_tree
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, Xattr

TREE = BlobId(bytes(32))

# Few of each, so that two folders often have something in common, and names that start alike.
nodes = st.builds(
    Node,
    name=st.sampled_from([b"a", b"ab", b'a"', b"a\\", b"\xff", b"nodes", b"z"]),
    kind=st.sampled_from([NodeKind.FILE, NodeKind.FOLDER, NodeKind.SYMLINK]),
    size=st.sampled_from([0, 1, 12]),
    links=st.sampled_from([0, 1, 12]),
    xattrs=st.sampled_from([(), (Xattr("user.a", b'},{"name":"a"'),)]),
    content=st.sampled_from([None, (), (BlobId(bytes(32)),)]),
)
folders = st.lists(nodes, max_size=5, unique_by=lambda node: node.name).map(
    lambda found: sorted(found, key=lambda node: node.name)
)


@given(before=folders, now=folders)
def test_what_is_told_of_a_whole_folder_is_what_each_name_finds(
    before: list[Node], now: list[Node]
) -> None:
    tree = StoredTree(TREE, encode_tree(before))
    heads = [encode_head(node) for node in now]

    for node, head, told in zip(now, heads, tree.unchanged(heads), strict=True):
        stored = tree.find(node.name)
        if told is not None:
            assert told == stored
            assert is_unchanged(told, head)
        elif [n.name for n in before] == [n.name for n in now]:
            assert stored is not None
            assert not is_unchanged(stored, head)


@given(before=folders, now=folders)
def test_a_folder_that_passes_as_a_whole_is_unchanged_in_every_entry(
    before: list[Node], now: list[Node]
) -> None:
    tree = StoredTree(TREE, encode_tree(before))
    heads = [encode_head(node) for node in now]
    blobs = tree.blobs_if_unchanged(heads)

    if blobs is not None:
        stored = [node for node in tree.unchanged(heads) if node is not None]
        assert join_tree(stored) == tree.data
        assert [content_ids(node) for node in stored] == [(blob,) for blob in blobs]


plain_files = folders.map(
    lambda folder: [
        msgspec.structs.replace(node, kind=NodeKind.FILE, xattrs=(), content=(TREE,))
        for node in folder
    ]
)


@given(plain_files.filter(bool), st.data())
def test_plain_files_pass_as_a_whole_unless_any_byte_differs(
    folder: list[Node], data: st.DataObject
) -> None:
    stored = encode_tree(folder)
    heads = [encode_head(node) for node in folder]
    assert StoredTree(TREE, stored).blobs_if_unchanged(heads) == [TREE] * len(folder)

    other = bytearray(stored)
    other[data.draw(st.integers(0, len(stored) - 1))] ^= data.draw(st.integers(1, 255))
    blobs = StoredTree(TREE, bytes(other)).blobs_if_unchanged(heads)
    # Another blob is for the index to know or not.
    assert blobs is None or blobs.count(TREE) == len(folder) - 1


@given(folders, st.data())
def test_one_changed_entry_leaves_the_others_unchanged(
    folder: list[Node], data: st.DataObject
) -> None:
    changed = data.draw(st.integers(0, len(folder)))
    now = [
        msgspec.structs.replace(node, inode=7) if place == changed else node
        for place, node in enumerate(folder)
    ]
    tree = StoredTree(TREE, encode_tree(folder))

    assert tree.unchanged([encode_head(node) for node in now]) == [
        None if place == changed else encode_node(node) for place, node in enumerate(folder)
    ]


def test_a_folder_the_parent_has_not_finds_nothing() -> None:
    assert StoredTree().blobs_if_unchanged([]) is None
    assert StoredTree().unchanged([b'{"name":"a"']) == [None]
    assert StoredTree().find(b"a") is None


def test_a_name_that_is_damaged_is_told_when_names_are_asked_for() -> None:
    tree = StoredTree(TREE, b'{"nodes":[{"name":"\\\\q","type":"file"}]}')

    with pytest.raises(IntegrityError):
        tree.find(b"a")
    assert tree.find(b"a") is None


def test_what_is_no_tree_is_damage() -> None:
    tree = StoredTree(TREE, b'{"nodes":[')

    assert tree.blobs_if_unchanged([]) is None
    with pytest.raises(IntegrityError):
        tree.unchanged([])
    assert tree.find(b"a") is None
