"""Trees: one JSON document a folder, its nodes sorted by the raw bytes of their names.

The bytes are those restic would write for the same node, so that a folder
which did not change has the same id whichever of the two saved it. A node is
encoded in two halves::

    head   {"name", "type", "mode", times, "uid", "gid", "user", "group", "inode",
            "device_id", "size", "links"          everything that lstat tells
    tail   "linktarget", "linktarget_raw", "extended_attributes",
            "generic_attributes", "device", "content", "subtree"}

When the head of an entry is the start of its node in the parent's tree, the
entry did not change (``ctime`` is in it) and the stored node is taken over as
it is, unparsed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.names import SURROGATE, json_name, json_text, unquote_name
from backup_agent.format.timestamp import decode_ns, encode_ns
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, Xattr


def encode_head(node: Node) -> bytes:
    """The first half of a node's JSON; fields that are zero or empty are left out, as in restic."""
    mtime = encode_ns(node.mtime_ns)
    atime = mtime if node.atime_ns == node.mtime_ns else encode_ns(node.atime_ns)
    ctime = mtime if node.ctime_ns == node.mtime_ns else encode_ns(node.ctime_ns)
    mode = f',"mode":{node.mode}' if node.mode else ""
    user = f',"user":{_account(node.user)}' if node.user else ""
    group = f',"group":{_account(node.group)}' if node.group else ""
    inode = f',"inode":{node.inode}' if node.inode else ""
    device_id = f',"device_id":{node.device_id}' if node.device_id else ""
    size = f',"size":{node.size}' if node.size else ""
    links = f',"links":{node.links}' if node.links else ""
    return (
        f'{{"name":{json_name(node.name)},"type":"{node.kind.value}"{mode},"mtime":"{mtime}","atime":"{atime}"'
        f',"ctime":"{ctime}","uid":{node.uid},"gid":{node.gid}{user}{group}'
        f"{inode}{device_id}{size}{links}"
    ).encode()


# A tree of files belongs to a handful of users.
_account = lru_cache(maxsize=1024)(json_text)


def encode_tail(node: Node) -> bytes:
    """The second half, with the closing brace."""
    parts: list[str] = []
    if node.link_target:
        text = node.link_target.decode("utf-8", "surrogateescape")
        parts.append(f',"linktarget":{json_text(text)}')
        if SURROGATE.search(text):
            parts.append(f',"linktarget_raw":"{b64encode(node.link_target).decode()}"')
    if node.xattrs:
        attributes = ",".join(
            f'{{"name":{json_text(x.name)},"value":"{b64encode(x.value).decode()}"}}'
            for x in node.xattrs
        )
        parts.append(f',"extended_attributes":[{attributes}]')
    if node.generic_attributes:
        parts.append(f',"generic_attributes":{node.generic_attributes.decode()}')
    if node.device:
        parts.append(f',"device":{node.device}')
    if node.content is None:
        parts.append(',"content":null')
    else:
        ids = ",".join(f'"{blob.hex()}"' for blob in node.content)
        parts.append(f',"content":[{ids}]')
    if node.subtree is not None:
        parts.append(f',"subtree":"{node.subtree.hex()}"')
    parts.append("}")
    return "".join(parts).encode()


def encode_node(node: Node) -> bytes:
    return encode_head(node) + encode_tail(node)


def with_subtree(stored: bytes, subtree: BlobId) -> bytes:
    """A stored folder node, its head unchanged, pointing to another tree.

    ``subtree`` is the last field restic and we write.
    """
    start = stored.rindex(b',"subtree":"')
    return b'%b,"subtree":"%b"}' % (stored[:start], subtree.hex().encode())


_ONE_BLOB_ID = -len('"]}') - 64
_ONE_BLOB_AT = _ONE_BLOB_ID - len(',"content":["')


def content_ids(stored: bytes) -> tuple[BlobId, ...] | None:
    """The blobs of a stored file node, without decoding the rest of it.

    ``None`` for a node that has no content, or none as restic and we write it.
    """
    if stored[_ONE_BLOB_AT:_ONE_BLOB_ID] == b',"content":["' and stored.endswith(b'"]}'):
        # Most files are one blob: its id stands at a known place from the end.
        with suppress(ValueError):
            return (BlobId(unhexlify(stored[_ONE_BLOB_ID:-3])),)
    found = _CONTENT.search(stored)
    if found is None:
        return None
    return tuple(BlobId(unhexlify(digits)) for digits in found[1].split(b'"')[1::2])


def stored_subtree(stored: bytes) -> BlobId | None:
    """The tree of a stored folder node, without decoding the rest of it.

    ``None`` for a node that has none, or none as restic and we write it.
    """
    found = _SUBTREE.search(stored)
    return BlobId(unhexlify(found[1])) if found else None


def is_unchanged(stored: bytes, head: bytes) -> bool:
    """Whether a stored node tells of its entry exactly what lstat tells now."""
    # Where the head's last fields are zero and left out, the stored node must not have them.
    return stored.startswith(head) and stored.startswith(_TAIL_STARTS, len(head))


def join_tree(nodes: Iterable[bytes]) -> bytes:
    """The tree of already encoded nodes, which must come sorted."""
    return b'{"nodes":[' + b",".join(nodes) + b"]}\n"


def encode_tree(nodes: Sequence[Node]) -> bytes:
    return join_tree(encode_node(node) for node in nodes)


class _Xattr(msgspec.Struct):
    name: str
    value: bytes | None = b""


class _Json(msgspec.Struct, gc=False):
    name: str
    type: str
    mode: int = 0
    mtime: str = ""
    atime: str = ""
    ctime: str = ""
    uid: int = 0
    gid: int = 0
    user: str = ""
    group: str = ""
    inode: int = 0
    device_id: int = 0
    size: int = 0
    links: int = 0
    linktarget: str = ""
    linktarget_raw: bytes = b""
    extended_attributes: list[_Xattr] | None = None
    generic_attributes: msgspec.Raw = msgspec.Raw()
    device: int = 0
    content: list[str] | None = None
    subtree: str | None = None


class _Name(msgspec.Struct, gc=False):
    name: str


class _Tree(msgspec.Struct):
    nodes: list[_Json] | None


class _RawTree(msgspec.Struct):
    nodes: list[msgspec.Raw] | None


_TAIL_STARTS = (
    b',"linktarget":',
    b',"extended_attributes":',
    b',"generic_attributes":',
    b',"device":',
    b',"content":',
    b',"subtree":',
    b"}",
)
_CONTENT = re.compile(
    rb',"content":\[((?:"[0-9a-f]{64}",?)*)\](?:,"(?:subtree|error|path)":"[^"]*")*}\Z'
)
_SUBTREE = re.compile(rb'"subtree":"([0-9a-f]{64})"\}\Z')
_tree_decoder = msgspec.json.Decoder(_Tree)
_raw_decoder = msgspec.json.Decoder(_RawTree)
_node_decoder = msgspec.json.Decoder(_Json)
_name_decoder = msgspec.json.Decoder(_Name)
_KINDS = {kind.value: kind for kind in NodeKind}


def decode_tree(data: bytes) -> tuple[Node, ...]:
    """The nodes in stored order. Raises ``IntegrityError`` for what is no tree.

    Names come as they are stored: a reader that makes paths of them has to refuse the unsafe.
    """
    try:
        return tuple(_node(json) for json in _tree_decoder.decode(data).nodes or ())
    except MALFORMED as exc:
        raise IntegrityError(f"A tree is damaged: {exc}") from exc


def decode_node(stored: bytes) -> Node:
    """One node out of :func:`split_tree`. Raises ``IntegrityError``."""
    try:
        return _node(_node_decoder.decode(stored))
    except MALFORMED as exc:
        raise IntegrityError(f"A node of a tree is damaged: {exc}") from exc


def split_tree(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, stored JSON) of each node, decoding nothing else. Raises ``IntegrityError``."""
    try:
        for raw in _raw_decoder.decode(data).nodes or ():
            stored = bytes(raw)
            yield _stored_name(stored), stored
    except MALFORMED as exc:
        raise IntegrityError(f"A tree is damaged: {exc}") from exc


_NAME_START = b'{"name":"'


def _stored_name(stored: bytes) -> bytes:
    """The name of a stored node; without parsing, where it stands first and plain."""
    if stored.startswith(_NAME_START):
        name = stored[len(_NAME_START) : stored.index(b'"', len(_NAME_START))]
        if b"\\" not in name:
            return name
    return unquote_name(_name_decoder.decode(stored).name)


def _node(json: _Json) -> Node:
    mtime = decode_ns(json.mtime) if json.mtime else 0
    return Node(
        name=unquote_name(json.name),
        kind=_KINDS.get(json.type, NodeKind.IRREGULAR),
        mode=json.mode,
        mtime_ns=mtime,
        atime_ns=_time(json.atime, json.mtime, mtime),
        ctime_ns=_time(json.ctime, json.mtime, mtime),
        uid=json.uid,
        gid=json.gid,
        user=json.user,
        group=json.group,
        inode=json.inode,
        device_id=json.device_id,
        size=json.size,
        links=json.links,
        link_target=json.linktarget_raw or json.linktarget.encode("utf-8", "surrogatepass"),
        xattrs=tuple(Xattr(x.name, x.value or b"") for x in json.extended_attributes or ()),
        generic_attributes=bytes(json.generic_attributes),
        device=json.device,
        content=None if json.content is None else tuple(_id(text) for text in json.content),
        subtree=None if json.subtree is None else _id(json.subtree),
    )


def _time(text: str, mtime_text: str, mtime: int) -> int:
    if text == mtime_text:
        return mtime
    return decode_ns(text) if text else 0


def _id(text: str) -> BlobId:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise ValueError(f"{text!r} is no SHA-256")
    return BlobId(raw)
