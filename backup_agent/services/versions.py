"""One file in many restore points: which versions there are, and where a name is to be found.

Restore points share the subtrees that did not change. Each tree is looked at once for each path
that leads to it, so that looking through thousands of points costs little more than the changes.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import IntegrityError, NoSuchPointError
from backup_agent.format.omissions import FOLDER as OWN_FOLDER
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import PointBrowser, TreePath


@dataclass(frozen=True, slots=True)
class Version:
    """An item as one restore point has it: the newest of those that have it so."""

    path: TreePath
    node: Node
    point: SnapshotId


@dataclass(frozen=True, slots=True)
class NameHistory:
    """A name in one folder through time. ``versions`` counts different contents; ``gone_since``
    is the first restore point without it, ``None`` for what the newest one has.
    """

    versions: int
    latest: Version
    gone_since: Snapshot | None


def find_versions(
    reader: BlobReader, snapshots: Sequence[Snapshot], text: str, *, cancel: CancelToken
) -> Iterator[Version]:
    """Items whose name holds ``text``, or matches it if it has ``*`` or ``?``; case aside.

    ``snapshots`` newest first; each version of an item comes once. Damaged folders are passed
    over: whoever searches wants what there is. Raises ``StorageError``, ``JobCancelledError``.
    """
    pattern = text if re.search(r"[*?]", text) else f"*{_literal(text)}*"
    matches = re.compile(fnmatch.translate(pattern), re.IGNORECASE).match
    seen_trees: set[tuple[TreePath, BlobId]] = set()
    seen_items: set[tuple[TreePath, object]] = set()
    for snapshot in snapshots:
        waiting: list[tuple[TreePath, BlobId]] = [((), snapshot.tree)]
        while waiting:
            cancel.raise_if_cancelled()
            path, tree = waiting.pop()
            if (path, tree) in seen_trees:
                continue
            seen_trees.add((path, tree))
            for node in _nodes(reader, tree):
                if not path and node.name == OWN_FOLDER:
                    continue
                here = (*path, node.name)
                if node.subtree is not None:
                    waiting.append((here, node.subtree))
                key = (here, _content(node))
                if key not in seen_items and matches(os.fsdecode(node.name)):
                    seen_items.add(key)
                    yield Version(here, node, snapshot.id)


def folder_history(
    reader: BlobReader, snapshots: Sequence[Snapshot], folder: TreePath, *, cancel: CancelToken
) -> dict[bytes, NameHistory]:
    """Every name that any of the restore points has in that folder. ``snapshots`` newest first.

    Points that have nothing of the folder's path (of another plan, say) do not count.
    """
    found: dict[bytes, NameHistory] = {}
    contents: dict[bytes, set[object]] = {}
    last_tree: BlobId | None = None
    newer: Snapshot | None = None
    for snapshot in snapshots:
        cancel.raise_if_cancelled()
        tree = _tree_at(reader, snapshot, folder)
        if tree is None:
            continue
        if tree != last_tree:
            for node in _nodes(reader, tree):
                contents.setdefault(node.name, set()).add(_content(node))
                if node.name not in found:
                    latest = Version((*folder, node.name), node, snapshot.id)
                    found[node.name] = NameHistory(1, latest, newer)
        last_tree, newer = tree, snapshot
    return {
        name: NameHistory(len(contents[name]), history.latest, history.gone_since)
        for name, history in found.items()
    }


def _tree_at(reader: BlobReader, snapshot: Snapshot, folder: TreePath) -> BlobId | None:
    if not folder:
        return snapshot.tree
    try:
        return PointBrowser(reader, snapshot).find(folder).subtree
    except (NoSuchPointError, IntegrityError):
        return None


def _nodes(reader: BlobReader, tree: BlobId) -> Sequence[Node]:
    try:
        return reader.load_tree(tree)
    except IntegrityError:
        return ()


def _content(node: Node) -> object:
    """The same for two versions that hold the same; folders have one version."""
    return None if node.kind is NodeKind.FOLDER else (node.content, node.link_target)


def _literal(text: str) -> str:
    return text.replace("[", "[[]")
