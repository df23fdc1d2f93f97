"""Whether the nodes of one folder make sense, and whether what they name is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.format.pack import BlobKind
from backup_agent.model.finding import Severity
from backup_agent.model.node import Node, NodeKind
from backup_agent.repository.index import BlobIndex


@dataclass(frozen=True, slots=True)
class NodeFlaw:
    severity: Severity
    message: str


def check_nodes(nodes: Sequence[Node], index: BlobIndex) -> Iterator[NodeFlaw]:
    """Everything wrong in this folder; what lies in its subfolders is their own affair."""
    yield from _check_names(nodes)
    for node in nodes:
        if node.kind is NodeKind.FOLDER and node.subtree is None:
            yield _error(node, "is a folder that names no tree")
        if node.kind is NodeKind.FILE:
            yield from _check_content(node, index)


def _check_names(nodes: Sequence[Node]) -> Iterator[NodeFlaw]:
    names = [node.name for node in nodes]
    if names != sorted(names):
        yield NodeFlaw(Severity.HINT, "the entries are not sorted by name")
    seen: set[bytes] = set()
    for node in nodes:
        if node.name in seen:
            yield _error(node, "is there more than once")
        if node.name in (b"", b".", b"..") or b"/" in node.name or b"\0" in node.name:
            yield _error(node, "is no name a file can have; it is never restored")
        seen.add(node.name)


def _check_content(node: Node, index: BlobIndex) -> Iterator[NodeFlaw]:
    if node.content is None:
        yield _error(node, "is a file that names no content")
        return
    size = 0
    for blob in node.content:
        length = index.plain_length(BlobKind.DATA, blob)
        if length is None:
            yield _error(node, f"needs the data blob {blob.hex()}, which is in no index")
            return
        size += length
    if size != node.size:
        yield _error(node, f"has {node.size} bytes, and its content {size}")


def _error(node: Node, message: str) -> NodeFlaw:
    return NodeFlaw(Severity.ERROR, f"{node.name.decode('utf-8', 'replace')!r} {message}")
