"""Trees: one JSON document a folder, its nodes sorted by the raw bytes of their names.

The bytes are those restic would write for the same node, so that a folder
which did not change has the same id whichever of the two saved it. A node is
encoded in two halves::

    head   {"name", "type", "mode", times, "uid", "gid", "user", "group", "inode",
            "device_id", "size", "links"          everything that lstat tells
    tail   "linktarget", "linktarget_raw", "extended_attributes",
            "generic_attributes", "device", "content", "subtree"}

How a backup takes nodes over from the parent's tree, unparsed, stands in
:mod:`backup_agent.format.stored_tree`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import overload

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.names import SURROGATE, json_name, json_text, unquote_name
from backup_agent.format.timestamp import decode_ns, encode_ns
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, Xattr


def encode_head(node: Node) -> bytes:
    """The first half of a node's JSON; fields that are zero or empty are left out, as in restic."""
    return join_head(
        node.name,
        head_type(node.kind, node.mode),
        node.mtime_ns,
        node.atime_ns,
        node.ctime_ns,
        head_owner(node.uid, node.gid, node.user, node.group),
        node.inode,
        node.device_id,
        node.size,
        node.links,
    )


def join_head(
    name: bytes,
    kind: str,
    mtime_ns: int,
    atime_ns: int,
    ctime_ns: int,
    owner: str,
    inode: int,
    device_id: int,
    size: int,
    links: int,
) -> bytes:
    """A head of its fields in their order; two come ready-made, for they repeat so often.

    So a source can tell the head of an entry without making a node of it first.
    ``kind`` is as :func:`head_type` and ``owner`` as :func:`head_owner` gives it.
    """
    mtime = encode_ns(mtime_ns)
    atime = mtime if atime_ns == mtime_ns else encode_ns(atime_ns)
    ctime = mtime if ctime_ns == mtime_ns else encode_ns(ctime_ns)
    inode_field = f',"inode":{inode}' if inode else ""
    device_field = f',"device_id":{device_id}' if device_id else ""
    size_field = f',"size":{size}' if size else ""
    links_field = f',"links":{links}' if links else ""
    return (
        f'{{"name":{json_name(name)}{kind},"mtime":"{mtime}","atime":"{atime}","ctime":"{ctime}"'
        f"{owner}{inode_field}{device_field}{size_field}{links_field}"
    ).encode()


# A tree of files has a handful of kinds, modes and owners, repeated a million times.
@lru_cache(maxsize=1024)
def head_type(kind: NodeKind, mode: int) -> str:
    """The fields of a head that say what an entry is."""
    return f',"type":"{kind.value}"' + (f',"mode":{mode}' if mode else "")


@lru_cache(maxsize=1024)
def head_owner(uid: int, gid: int, user: str, group: str) -> str:
    """The fields of a head that say whose an entry is."""
    names = f',"user":{json_text(user)}' if user else ""
    names += f',"group":{json_text(group)}' if group else ""
    return f',"uid":{uid},"gid":{gid}{names}'


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


class _Tree(msgspec.Struct):
    nodes: list[_Json] | None


class _Brief(msgspec.Struct, gc=False):
    name: str
    type: str


class _Briefs(msgspec.Struct):
    nodes: list[_Brief] | None


class _Slices(msgspec.Struct):
    nodes: list[msgspec.Raw] | None


_tree_decoder = msgspec.json.Decoder(_Tree)
_brief_decoder = msgspec.json.Decoder(_Briefs)
_slice_decoder = msgspec.json.Decoder(_Slices)
_node_decoder = msgspec.json.Decoder(_Json)
_KINDS = {kind.value: kind for kind in NodeKind}


def decode_tree(data: bytes) -> tuple[Node, ...]:
    """The nodes in stored order. Raises ``IntegrityError`` for what is no tree.

    Names come as they are stored: a reader that makes paths of them has to refuse the unsafe.
    """
    try:
        return tuple(_node(json) for json in _tree_decoder.decode(data).nodes or ())
    except MALFORMED as exc:
        raise IntegrityError(f"A tree is damaged: {exc}") from exc


class TreeListing(Sequence[Node]):
    """A tree by its ``names`` and ``kinds``; a node is made when it is asked for.

    Who shows two hundred of a hundred thousand files is done in a quarter of the time. Whoever
    wants all of them has them as quickly as from :func:`decode_tree`.
    """

    __slots__ = ("_data", "_stored", "kinds", "names")

    def __init__(self, data: bytes) -> None:
        """Raises ``IntegrityError`` for what is no tree; a node may be found damaged later."""
        try:
            briefs = _brief_decoder.decode(data).nodes or ()
            self._stored = _slice_decoder.decode(data).nodes or ()
            self.names = tuple(unquote_name(brief.name) for brief in briefs)
        except MALFORMED as exc:
            raise IntegrityError(f"A tree is damaged: {exc}") from exc
        self.kinds = tuple(_KINDS.get(brief.type, NodeKind.IRREGULAR) for brief in briefs)
        self._data = data

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, index: int) -> Node: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Node, ...]: ...

    def __getitem__(self, index: int | slice) -> Node | tuple[Node, ...]:
        """Raises ``IntegrityError``."""
        if isinstance(index, slice):
            return tuple(decode_node(stored) for stored in self._stored[index])
        return decode_node(self._stored[index])

    def __iter__(self) -> Iterator[Node]:
        """Raises ``IntegrityError``."""
        return iter(decode_tree(self._data))


def decode_node(stored: bytes | msgspec.Raw) -> Node:
    """One node out of a stored tree. Raises ``IntegrityError``."""
    try:
        return _node(_node_decoder.decode(stored))
    except MALFORMED as exc:
        raise IntegrityError(f"A node of a tree is damaged: {exc}") from exc


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
