"""Which restore points a loss concerns, and where in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.ids import BlobId
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.repository import Repository
from backup_agent.repository.walk import walk_trees


@dataclass(frozen=True, slots=True)
class TouchedPoint:
    """A restore point that lacks something. ``items`` counts its files, and its folders that
    cannot be listed; ``first`` is the path of one of them.
    """

    snapshot: Snapshot
    items: int
    first: str


@dataclass(slots=True)
class _Folder:
    """What the search needs to remember of a tree."""

    lacking: list[bytes] = field(default_factory=list)
    """Names of the files that lack content."""
    is_lost: bool = False
    folders: list[tuple[bytes, BlobId]] = field(default_factory=list)


def find_touched(
    repository: Repository, *, emit: Emit, cancel: CancelToken
) -> tuple[TouchedPoint, ...]:
    """The restore points with a file whose content the repository's index does not know, or with
    a folder that cannot be read. Snapshots that are damaged themselves are left out.
    """
    snapshots = repository.snapshots(on_damage=lambda _: None)
    known = repository.index.data_blobs
    folders: dict[BlobId, _Folder] = {}
    for visited in walk_trees(repository, snapshots, emit=emit, cancel=cancel):
        folders[visited.id] = _Folder(
            [n.name for n in visited.nodes if any(b not in known for b in n.content or ())],
            visited.damage is not None,
            [(n.name, n.subtree) for n in visited.nodes if n.subtree is not None],
        )
    found = []
    for snapshot in snapshots:
        cancel.raise_if_cancelled()
        paths = _lacking(snapshot.tree, folders)
        if paths:
            first = min(paths).decode("utf-8", "backslashreplace")
            found.append(TouchedPoint(snapshot, len(paths), first))
    return tuple(found)


def _lacking(root: BlobId, folders: Mapping[BlobId, _Folder]) -> list[bytes]:
    """The paths below a tree that lack something; a folder that is there twice is entered once."""
    paths: list[bytes] = []
    seen: set[BlobId] = set()
    waiting = [(root, b"")]
    while waiting:
        tree, path = waiting.pop()
        if tree in seen:
            continue
        seen.add(tree)
        folder = folders[tree]
        paths += [path + b"/" + name for name in folder.lacking]
        if folder.is_lost:
            paths.append(path or b"/")
        waiting += [(subtree, path + b"/" + name) for name, subtree in folder.folders]
    return paths
