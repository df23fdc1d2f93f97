"""What changed from one restore point to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
from backup_agent.services.browse import Found, PointBrowser, TreePath
from backup_agent.services.inside import DeepBrowser


class Change(StrEnum):
    """The marks are restic's."""

    ADDED = "+"
    REMOVED = "-"
    MODIFIED = "M"
    METADATA = "U"
    TYPE = "T"


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that is not the same in both. ``node`` is the newer one where there are two."""

    path: TreePath
    change: Change
    node: Node


def diff_points(
    old: PointBrowser, new: PointBrowser, *, cancel: CancelToken
) -> Iterator[Difference]:
    """What it takes to get from one restore point to the other, folders first.

    Subtrees with the same id are the same and not read. Raises ``IntegrityError``.
    """
    pairs: list[tuple[TreePath, BlobId | None, BlobId | None]] = [
        ((), old.snapshot.tree, new.snapshot.tree)
    ]
    while pairs:
        path, before, after = pairs.pop()
        cancel.raise_if_cancelled()
        if before == after:
            continue
        left = {n.name: n for n in old.nodes(before)}
        right = {n.name: n for n in new.nodes(after)}
        for name in sorted(left.keys() | right.keys()):
            here = (*path, name)
            one, other = left.get(name), right.get(name)
            if (change := _change(one, other)) is not None:
                node = other or one
                assert node is not None
                yield Difference(here, change, node)
            subtrees = (one.subtree if one else None, other.subtree if other else None)
            if subtrees != (None, None):
                pairs.append((here, *subtrees))


def diff_volumes(
    old: DeepBrowser, new: DeepBrowser, *, cancel: CancelToken
) -> Iterator[Difference]:
    """What changed among the files inside volumes: sizes and times tell, contents are not read.

    Volumes whose stored images are the same are not looked into. Raises
    ``UnreadableError``, ``IntegrityError``.
    """
    pairs: list[tuple[Sequence[Found], Sequence[Found]]] = [(old.disk_items(), new.disk_items())]
    while pairs:
        before, after = pairs.pop()
        cancel.raise_if_cancelled()
        left = {found.path: found for found in before}
        right = {found.path: found for found in after}
        for path in sorted(left.keys() | right.keys()):
            one, other = left.get(path), right.get(path)
            change = _change(one.node if one else None, other.node if other else None)
            found = other or one
            assert found is not None
            # The folders of disks and volumes are ours, and as old as the restore point.
            if change is not None and (len(path) > 2 or change in (Change.ADDED, Change.REMOVED)):
                yield Difference(path, change, found.node)
            if not _is_same_volume(old, new, one, other):
                pairs.append((_children(old, one), _children(new, other)))


def _is_same_volume(
    old: DeepBrowser, new: DeepBrowser, one: Found | None, other: Found | None
) -> bool:
    if one is None or other is None or len(one.path) != 2:
        return False
    return old.image_tree(one.path) == new.image_tree(one.path)


def _children(browser: DeepBrowser, found: Found | None) -> Sequence[Found]:
    if found is None or found.node.kind is not NodeKind.FOLDER:
        return ()
    if len(found.path) == 2 and not browser.volume(found.path).is_readable:
        return ()
    return browser.children(found)


def _change(one: Node | None, other: Node | None) -> Change | None:
    if one is None:
        return Change.ADDED
    if other is None:
        return Change.REMOVED
    if one.kind is not other.kind:
        return Change.TYPE
    if one.kind is NodeKind.FILE and one.content != other.content:
        return Change.MODIFIED
    if one.kind is NodeKind.FILE and one.content is None and _stamp(one) != _stamp(other):
        return Change.MODIFIED
    if _metadata(one) != _metadata(other):
        return Change.METADATA
    return None


def _stamp(node: Node) -> tuple[int, int]:
    """What tells a changed file apart where no blobs do."""
    return node.size, node.mtime_ns


def _metadata(node: Node) -> tuple[object, ...]:
    """What a restore would set; a link count or inode is of no interest to people."""
    return (
        node.mode,
        node.mtime_ns,
        node.uid,
        node.gid,
        node.link_target,
        node.xattrs,
        node.device,
    )
