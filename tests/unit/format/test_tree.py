"""Trees: every node comes back, and the short cuts agree with the long way."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.stored_tree import content_ids, is_unchanged, split_tree, with_subtree
from backup_agent.format.tree import (
    TreeListing,
    decode_node,
    decode_tree,
    encode_head,
    encode_node,
    encode_tail,
    encode_tree,
    join_tree,
)
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, Xattr

FIRST_NS = -62_135_596_800 * 10**9
LAST_NS = 253_402_300_800 * 10**9 - 1

blob_ids = st.binary(min_size=32, max_size=32).map(BlobId)
texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=10)
times = st.integers(FIRST_NS, LAST_NS)
numbers = st.integers(0, (1 << 64) - 1)
names = st.binary(min_size=1, max_size=20)
generic = st.sampled_from(
    [b"", b'{"windows.creation_time":"AAAA","windows.file_attributes":"IA=="}']
)
nodes = st.builds(
    Node,
    name=names,
    kind=st.sampled_from(NodeKind),
    mode=st.integers(0, (1 << 32) - 1),
    mtime_ns=times,
    atime_ns=times,
    ctime_ns=times,
    uid=st.integers(0, (1 << 32) - 1),
    gid=st.integers(0, (1 << 32) - 1),
    user=texts,
    group=texts,
    inode=numbers,
    device_id=numbers,
    size=numbers,
    links=numbers,
    link_target=st.binary(max_size=20),
    xattrs=st.lists(st.builds(Xattr, texts, st.binary(max_size=20)), max_size=3).map(tuple),
    generic_attributes=generic,
    device=numbers,
    content=st.none() | st.lists(blob_ids, max_size=3).map(tuple),
    subtree=st.none() | blob_ids,
)


@given(st.lists(nodes, max_size=4).map(tuple))
def test_any_tree_comes_back(tree: tuple[Node, ...]) -> None:
    assert decode_tree(encode_tree(tree)) == tree


@given(st.lists(nodes, max_size=4).map(tuple))
def test_a_listing_has_the_same_nodes_all_at_once_and_one_by_one(tree: tuple[Node, ...]) -> None:
    listing = TreeListing(encode_tree(tree))

    assert tuple(listing) == tree
    assert tuple(listing[number] for number in range(len(listing))) == tree
    assert listing[1:3] == tree[1:3]
    assert listing.names == tuple(node.name for node in tree)
    assert listing.kinds == tuple(node.kind for node in tree)


@given(st.lists(nodes, max_size=4))
def test_a_tree_splits_into_the_nodes_it_was_joined_from(tree: list[Node]) -> None:
    encoded = [encode_node(node) for node in tree]

    assert list(split_tree(join_tree(encoded))) == [
        (node.name, raw) for node, raw in zip(tree, encoded, strict=True)
    ]
    assert [decode_node(raw) for raw in encoded] == tree


@given(nodes)
def test_a_node_is_json_that_others_read_alike(node: Node) -> None:
    fields = json.loads(encode_node(node))

    assert fields["size"] == node.size if node.size else "size" not in fields
    assert fields["content"] == (
        None if node.content is None else [blob.hex() for blob in node.content]
    )
    order = [
        "name", "type", "mode", "mtime", "atime", "ctime", "uid", "gid", "user", "group",
        "inode", "device_id", "size", "links", "linktarget", "linktarget_raw",
        "extended_attributes", "generic_attributes", "device", "content", "subtree",
    ]  # fmt: skip
    assert list(fields) == [name for name in order if name in fields]


@given(nodes)
def test_a_node_is_unchanged_against_its_own_head(node: Node) -> None:
    assert is_unchanged(encode_node(node), encode_head(node))


CHANGES: list[tuple[str, object]] = [
    ("name", b"other name"),
    ("kind", NodeKind.IRREGULAR),
    ("mode", 0o123),
    ("mtime_ns", 12_345_678_901),
    ("atime_ns", 12_345_678_902),
    ("ctime_ns", 12_345_678_903),
    ("uid", 4_000_000_001),
    ("gid", 4_000_000_002),
    ("user", "somebody else"),
    ("group", "another group"),
    ("inode", 987_654_321),
    ("device_id", 123_456_789),
    ("size", 55_555),
    ("links", 77),
]


@given(node=nodes, change=st.sampled_from(CHANGES))
@settings(max_examples=300)
def test_any_difference_that_lstat_shows_is_a_change(
    node: Node, change: tuple[str, object]
) -> None:
    field, value = change
    if getattr(node, field) != value:
        changed = msgspec.structs.replace(node, **{field: value})

        assert not is_unchanged(encode_node(node), encode_head(changed))
        assert not is_unchanged(encode_node(changed), encode_head(node))


def test_a_longer_number_is_not_taken_for_its_start() -> None:
    short = Node(name=b"f", kind=NodeKind.FILE, links=1, content=())
    long = msgspec.structs.replace(short, links=12)

    assert encode_node(long).startswith(encode_head(short))
    assert not is_unchanged(encode_node(long), encode_head(short))


@given(node=nodes, subtree=blob_ids, other=blob_ids)
def test_a_folder_is_pointed_to_another_tree(node: Node, subtree: BlobId, other: BlobId) -> None:
    stored = encode_node(msgspec.structs.replace(node, subtree=subtree))

    assert decode_node(with_subtree(stored, other)) == msgspec.structs.replace(node, subtree=other)


@given(nodes)
def test_content_ids_are_those_of_the_decoded_node(node: Node) -> None:
    assert content_ids(encode_node(node)) == node.content


@given(names)
def test_content_ids_are_not_fooled_by_a_name(name: bytes) -> None:
    inner = b'","content":["' + b"00" * 32 + b'"]}' + name
    node = Node(name=inner, kind=NodeKind.FILE, link_target=inner, content=(BlobId(bytes(32)),))

    assert content_ids(encode_node(node)) == node.content
    without = msgspec.structs.replace(node, content=None)
    assert content_ids(encode_node(without)) is None


def test_content_ids_are_found_before_restics_own_trailing_fields() -> None:
    assert content_ids(b'{"name":"f","type":"file","content":[],"error":"x"}') == ()
    assert content_ids(b'{"name":"f","type":"file"}') is None
    assert content_ids(b'{"name":"f","type":"file","content":["short"]}') is None


def test_the_bytes_are_those_go_writes() -> None:
    node = Node(
        name=b'\xff\n"<',
        kind=NodeKind.SYMLINK,
        mode=134218239,
        mtime_ns=1_790_000_000_500_000_000,
        atime_ns=1_790_000_000_500_000_000,
        ctime_ns=1_790_000_001_000_000_000,
        user="r&d",
        inode=7,
        links=1,
        link_target="x\xff<\u2028".encode() + b"\xff\xfe",
        xattrs=(Xattr("user.\udcff", b"v"),),
    )

    # Compared by eye with what restic 0.14 wrote for such a link.
    assert encode_tail(node).startswith(
        b',"linktarget":"x\xc3\xbf\\u003c\\u2028\\ufffd\\ufffd","linktarget_raw":"'
    )
    assert encode_tail(node).endswith(
        b'"extended_attributes":[{"name":"user.\\ufffd","value":"dg=="}],"content":null}'
    )
    assert encode_head(node) == (
        b'{"name":"\\\\xff\\\\n\\\\\\"\\u003c","type":"symlink","mode":134218239,'
        b'"mtime":"2026-09-21T14:13:20.5Z","atime":"2026-09-21T14:13:20.5Z",'
        b'"ctime":"2026-09-21T14:13:21Z","uid":0,"gid":0,"user":"r\\u0026d",'
        b'"inode":7,"links":1'
    )


def test_unknown_kinds_of_node_are_kept_as_irregular() -> None:
    (node,) = decode_tree(b'{"nodes":[{"name":"x","type":"door"}]}')

    assert node.kind is NodeKind.IRREGULAR


@pytest.mark.parametrize("text", [b'{"nodes":null}', b'{"nodes":[]}'])
def test_an_empty_folder_has_no_nodes(text: bytes) -> None:
    assert decode_tree(text) == ()
    assert list(split_tree(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"nodes":[{"name":"x","type":"dir","generic_attributes":' + b"[" * 100_000,
        b'{"nodes":[{"type":"dir"}]}',
        b'{"nodes":[{"name":"\\\\q","type":"dir"}]}',
        b'{"nodes":[{"name":"x","type":"dir","subtree":"12"}]}',
        b'{"nodes":[{"name":"x","type":"file","content":["zz"]}]}',
        b'{"nodes":[{"name":"x","type":"file","mtime":"never"}]}',
        b'{"nodes":[{"name":"x","type":"file","size":"big"}]}',
    ],
)
def test_what_is_no_tree_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_tree(text)
    with pytest.raises(IntegrityError):
        tuple(TreeListing(text))


@given(tree=st.lists(nodes, min_size=1, max_size=2), data=st.data())
def test_a_mutated_tree_is_a_tree_or_damage(tree: list[Node], data: st.DataObject) -> None:
    text = bytearray(encode_tree(tree))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))

    readers = (
        decode_tree,
        lambda mutated: TreeListing(mutated)[:],
        lambda mutated: dict(split_tree(mutated)),
    )
    for read in readers:
        with contextlib.suppress(IntegrityError):
            read(bytes(text))


@pytest.mark.parametrize("text", ["zz" * 32, "00", "é"])
def test_an_id_that_is_none_is_told_in_plain_words(text: str) -> None:
    tree = json.dumps({"nodes": [{"name": "a", "type": "dir", "subtree": text}]}).encode()
    with pytest.raises(IntegrityError, match="is no SHA-256") as caught:
        decode_tree(tree)
    assert "fromhex" not in caught.value.message
