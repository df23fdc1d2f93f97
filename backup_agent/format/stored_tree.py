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
from collections.abc import Iterator, Sequence

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.names import unquote_name
from backup_agent.model.ids import BlobId

NO_TREE = BlobId(b"")


class StoredTree:
    """The nodes of one folder as they were stored; without data, of one the parent has not."""

    def __init__(self, tree: BlobId = NO_TREE, data: bytes = b"") -> None:
        """Raises ``IntegrityError`` for what is no tree."""
        self.id = tree
        self.data = data
        self._nodes = _split(data) if data else []
        self._by_name: dict[bytes, bytes] | None = None

    def __len__(self) -> int:
        return len(self._nodes)

    def unchanged(self, heads: Sequence[bytes]) -> list[bytes | None]:
        """For the head of each entry in the folder its stored node, if they tell the same.

        A short cut past :meth:`find` and :func:`is_unchanged`: both sides are
        sorted by name, so a folder where nothing came or went has each entry
        where its node is, and the head, which begins with the name, tells
        whether it is that one. ``None`` says nothing: the entry has to be
        found by its name. Above all, where something came or went.
        """
        if len(heads) != len(self._nodes):
            return [None] * len(heads)
        return [
            stored if is_unchanged(stored, head) else None
            for stored, head in zip(self._nodes, heads, strict=True)
        ]

    def find(self, name: bytes) -> bytes | None:
        """The stored node of that name. Raises ``IntegrityError`` where a name is damaged."""
        if self._by_name is None:
            self._by_name = {stored_name(stored): stored for stored in self._nodes}
        return self._by_name.get(name)


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


_ONE_BLOB_ID = -len('"]}') - 64
_ONE_BLOB_AT = _ONE_BLOB_ID - len(',"content":["')
_CONTENT = re.compile(
    rb',"content":\[((?:"[0-9a-f]{64}",?)*)\](?:,"(?:subtree|error|path)":"[^"]*")*}\Z'
)


def content_ids(stored: bytes) -> tuple[BlobId, ...] | None:
    """The blobs of a stored file node, without decoding the rest of it.

    ``None`` for a node that has no content, or none as restic and we write it.
    """
    if stored[_ONE_BLOB_AT:_ONE_BLOB_ID] == b',"content":["' and stored.endswith(b'"]}'):
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
