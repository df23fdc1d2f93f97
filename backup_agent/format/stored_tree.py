"""The parent restore point's trees, as a backup meets them again: their nodes unparsed.

Most of what a backup looks at did not change since the run before. Then the
bytes of its stored node begin with the head one would write for it now
(:func:`backup_agent.format.tree.encode_head`; ``ctime`` is in it), and the node
is taken over as it is. What else a backup wants of a stored node, its name, its
blobs or its tree, is found at a known place, or by decoding that field alone.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.names import unquote_name
from backup_agent.model.ids import BlobId

NO_TREE = BlobId(b"")
_TREE_START = b'{"nodes":['
_TREE_END = b"]}\n"
_BLOB_START = b',"content":["'
_BLOB_DIGITS = 64
_BLOB_END = b'"]}'
_LAST_BLOB_END = _BLOB_END + b","


class StoredTree:
    """The nodes of one folder as they were stored; without data, of one the parent has not.

    Parsed only when asked for more than whether it is as it was. What is no
    tree raises ``IntegrityError`` then, once, and has no nodes from there on.
    """

    def __init__(self, tree: BlobId = NO_TREE, data: bytes = b"") -> None:
        self.id = tree
        self.data = data
        self._nodes: list[bytes] | None = None
        self._by_name: dict[bytes, bytes] | None = None

    def blobs_if_unchanged(self, heads: Iterable[bytes]) -> list[BlobId] | None:
        """The blob of each file, if this folder is just as the heads of its entries tell.

        The quickest way past a folder where nothing happened. Its bytes are
        walked beside the heads, without splitting them into nodes::

            {"nodes":[  head ,"content":["64 digits"]} ,  head …  ]}

        ``None`` for a folder that does not read so, be it changed or not: this
        is for those with nothing but files of one blob and no attributes,
        which most are. The rest is left to :meth:`unchanged`.
        """
        if not (self.data.startswith(_TREE_START) and self.data.endswith(_TREE_END)):
            return None
        # With a comma behind the last, every node ends alike.
        nodes = self.data[len(_TREE_START) : -len(_TREE_END)] + b","
        blobs: list[BlobId] = []
        start = 0
        for head in heads:
            head_end = start + len(head)
            digits = head_end + len(_BLOB_START)
            digits_end = digits + _BLOB_DIGITS
            if not (
                nodes.startswith(head, start)
                and nodes.startswith(_BLOB_START, head_end)
                and nodes.startswith(_LAST_BLOB_END, digits_end)
            ):
                return None
            try:
                blobs.append(BlobId(unhexlify(nodes[digits:digits_end])))
            except ValueError:
                return None
            start = digits_end + len(_LAST_BLOB_END)
        return blobs if start == len(nodes) else None

    def unchanged(self, heads: Sequence[bytes]) -> list[bytes | None]:
        """For the head of each entry in the folder its stored node, if they tell the same.

        A short cut past :meth:`find` and :func:`is_unchanged`: both sides are
        sorted by name, so a folder where nothing came or went has each entry
        where its node is, and the head, which begins with the name, tells
        whether it is that one. ``None`` says nothing: the entry has to be
        found by its name. Above all, where something came or went.
        """
        nodes = self._split()
        if len(heads) != len(nodes):
            return [None] * len(heads)
        return [
            stored if is_unchanged(stored, head) else None
            for stored, head in zip(nodes, heads, strict=True)
        ]

    def find(self, name: bytes) -> bytes | None:
        """The stored node of that name."""
        if self._by_name is None:
            self._by_name = {}
            self._by_name = {stored_name(stored): stored for stored in self._split()}
        return self._by_name.get(name)

    def _split(self) -> list[bytes]:
        if self._nodes is None:
            self._nodes = []
            if self.data:
                self._nodes = _split(self.data)
        return self._nodes


def split_tree(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, stored JSON) of each node, decoding nothing else. Raises ``IntegrityError``."""
    for stored in _split(data):
        yield stored_name(stored), stored


def is_unchanged(stored: bytes, head: bytes) -> bool:
    """Whether a stored node tells of its entry exactly what lstat tells now."""
    # Where the head's last fields are zero and left out, the stored node must not have them.
    return stored.startswith(head) and stored.startswith(_TAIL_STARTS, len(head))


# The commonest first.
_TAIL_STARTS = (
    b',"content":',
    b',"linktarget":',
    b',"extended_attributes":',
    b',"generic_attributes":',
    b',"device":',
    b',"subtree":',
    b"}",
)
_NAME_START = b'{"name":"'


def stored_name(stored: bytes) -> bytes:
    """The name of a stored node; without parsing, where it stands first and plain.

    Raises ``IntegrityError``.
    """
    if stored.startswith(_NAME_START):
        name = stored[len(_NAME_START) : stored.index(b'"', len(_NAME_START))]
        if b"\\" not in name:
            return name
    try:
        return unquote_name(_name_decoder.decode(stored).name)
    except MALFORMED as exc:
        raise IntegrityError(f"A node of a tree is damaged: {exc}") from exc


_ONE_BLOB_ID = -len(_BLOB_END) - _BLOB_DIGITS
_ONE_BLOB_AT = _ONE_BLOB_ID - len(_BLOB_START)
_CONTENT = re.compile(
    rb',"content":\[((?:"[0-9a-f]{64}",?)*)\](?:,"(?:subtree|error|path)":"[^"]*")*}\Z'
)


def content_ids(stored: bytes) -> tuple[BlobId, ...] | None:
    """The blobs of a stored file node, without decoding the rest of it.

    ``None`` for a node that has no content, or none as restic and we write it.
    """
    if stored[_ONE_BLOB_AT:_ONE_BLOB_ID] == _BLOB_START and stored.endswith(_BLOB_END):
        # Most files are one blob: its id stands at a known place from the end.
        try:
            return (BlobId(unhexlify(stored[_ONE_BLOB_ID:-3])),)
        except ValueError:
            pass  # some other text that ends so
    found = _CONTENT.search(stored)
    if found is None:
        return None
    return tuple(BlobId(unhexlify(digits)) for digits in found[1].split(b'"')[1::2])


_SUBTREE = re.compile(rb'"subtree":"([0-9a-f]{64})"\}\Z')


def stored_subtree(stored: bytes) -> BlobId | None:
    """The tree of a stored folder node, without decoding the rest of it.

    ``None`` for a node that has none, or none as restic and we write it.
    """
    found = _SUBTREE.search(stored)
    return BlobId(unhexlify(found[1])) if found else None


def with_subtree(stored: bytes, subtree: BlobId) -> bytes:
    """A stored folder node, its head unchanged, pointing to another tree.

    ``subtree`` is the last field restic and we write.
    """
    start = stored.rindex(b',"subtree":"')
    return b'%b,"subtree":"%b"}' % (stored[:start], subtree.hex().encode())


class _Name(msgspec.Struct, gc=False):
    name: str


class _RawTree(msgspec.Struct):
    nodes: list[msgspec.Raw] | None


_raw_decoder = msgspec.json.Decoder(_RawTree)
_name_decoder = msgspec.json.Decoder(_Name)


def _split(data: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _raw_decoder.decode(data).nodes or ()]
    except MALFORMED as exc:
        raise IntegrityError(f"A tree is damaged: {exc}") from exc
