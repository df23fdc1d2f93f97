"""Looking into a restore point: its folders, its files, what it lacks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from backup_agent.errors import EverbootError, IntegrityError, NoSuchPointError
from backup_agent.format import omissions as omission_list
from backup_agent.format.timestamp import encode_ns
from backup_agent.format.tree import TreeListing
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.omission import Omission
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader

TreePath: TypeAlias = tuple[bytes, ...]
"""The names from the restore point's root down; the empty tuple is the root."""


IsSought: TypeAlias = Callable[[bytes], bool]
"""Whether somebody looks for something of that name."""


class Inside(Protocol):
    """Where the content of an item is that lies inside a stored volume."""

    @property
    def identity(self) -> tuple[object, ...]:
        """The same for two names of one file."""
        ...

    @property
    def problem(self) -> str:
        """Why the content cannot be had, if that is known beforehand; else empty."""
        ...

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """What lies behind ``start``, in order.

        Raises ``UnreadableError``, ``IntegrityError``, ``StorageError``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a restore point. ``leaving``: a folder met again, after all it holds.

    ``inside`` is set where a volume's file system has it; its node then names no blobs.
    """

    path: TreePath
    node: Node
    leaving: bool = False
    inside: Inside | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A folder whose list of items is damaged or missing."""

    path: TreePath
    error: EverbootError


Step: TypeAlias = Found | Unreachable


class PointBrowser:
    """One restore point, read through a :class:`BlobReader` whose index is loaded."""

    def __init__(self, reader: BlobReader, snapshot: Snapshot) -> None:
        self._reader = reader
        self.snapshot = snapshot
        self._backed_up = tuple(parse_path(text) for text in snapshot.paths)

    def list_folder(self, path: TreePath) -> Sequence[Node]:
        """What stands in a folder, or the one file that ``path`` names.

        Raises ``NoSuchPointError``, ``IntegrityError``.
        """
        if not path:
            return self._reader.list_tree(self.snapshot.tree)
        node = self.find(path)
        return self._reader.list_tree(node.subtree) if node.subtree is not None else (node,)

    def find(self, path: TreePath) -> Node:
        """Raises ``NoSuchPointError`` where nothing of that path is, ``IntegrityError``."""
        tree: BlobId | None = self.snapshot.tree
        node: Node | None = None
        for name in path:
            listing = self._reader.list_tree(tree) if tree is not None else None
            if listing is None or name not in listing.names:
                raise NoSuchPointError(
                    f"The restore point {self.snapshot.short_id} has no {show_path(path)}.",
                    hint=f"everboot ls {self.snapshot.short_id} lists what it has.",
                )
            node = listing[listing.names.index(name)]
            tree = node.subtree
        if node is None:
            raise NoSuchPointError("The root of a restore point is no item of it.")
        return node

    def walk(self, selection: Sequence[TreePath] = ()) -> Iterator[Step]:
        """Everything below the selected paths (all, if none), and the folders that lead there.

        Depth first, in stored order; each folder comes before what it holds and
        again, ``leaving``, after it. Raises ``NoSuchPointError`` at once for a
        path that is not there.
        """
        wanted = outermost(selection)
        for path in wanted:
            if path:
                self.find(path)
        return self._walk(wanted or [()])

    def walk_named(self, is_sought: IsSought) -> Iterator[Step]:
        """As a walk through everything, but of what is no folder only if its name is sought:
        several times quicker than to make a node of all that is not.
        """
        return self._walk([()], is_sought)

    def is_on_the_way(self, path: TreePath, selection: Sequence[TreePath] = ()) -> bool:
        """Whether a folder only leads to what was selected, or to what was backed up at all."""
        return _only_leads(path, selection) or _only_leads(path, self._backed_up)

    def _walk(
        self, wanted: Sequence[TreePath], is_sought: IsSought | None = None
    ) -> Iterator[Step]:
        stack: list[tuple[TreePath, Node | None, Iterator[Node]]] = []
        root = self._children((), self.snapshot.tree, is_sought)
        if isinstance(root, Unreachable):
            yield root
            return
        stack.append(((), None, root))
        while stack:
            folder, own, children = stack[-1]
            try:
                node = next(children, None)
            except IntegrityError as exc:
                yield Unreachable(folder, exc)
                node = None
            if node is None:
                stack.pop()
                if own is not None:
                    yield Found(folder, own, leaving=True)
                continue
            path = (*folder, node.name)
            if not leads_to(path, wanted):
                continue
            yield Found(path, node)
            if node.kind is NodeKind.FOLDER:
                inside = self._children(path, node.subtree, is_sought)
                if isinstance(inside, Unreachable):
                    yield inside
                    inside = iter(())
                stack.append((path, node, inside))

    def _children(
        self, path: TreePath, tree: BlobId | None, is_sought: IsSought | None
    ) -> Iterator[Node] | Unreachable:
        if tree is None:
            return Unreachable(path, IntegrityError("The folder's list of items is missing."))
        try:
            if is_sought is None:
                return iter(self._reader.load_tree(tree))
            return _sought(self._reader.list_tree(tree), is_sought)
        except IntegrityError as exc:
            return Unreachable(path, exc)

    def nodes(self, tree: BlobId | None) -> Sequence[Node]:
        """The items of one folder's tree; none for what is no folder. Raises ``IntegrityError``."""
        return () if tree is None else self._reader.load_tree(tree)

    def omissions(self) -> tuple[Omission, ...]:
        """What the restore point says it lacks. Raises ``IntegrityError``."""
        path = (omission_list.FOLDER, omission_list.FILE)
        try:
            node = self.find(path)
        except NoSuchPointError:
            return ()
        return omission_list.decode_omissions(b"".join(self.content(node)))

    def blobs(self, node: Node) -> Iterator[tuple[BlobId, int]]:
        """(id, length) of each blob of a file, read from the index alone."""
        for blob in node.content or ():
            yield blob, self._reader.length(blob)

    def content(self, node: Node) -> Iterator[bytes]:
        """A file's bytes, blob by blob. Raises ``IntegrityError`` at the first damaged one."""
        return self.fetch(node.content or ())

    def fetch(self, blobs: Iterable[BlobId]) -> Iterator[bytes]:
        """The blobs' bytes, read ahead. Raises ``IntegrityError`` at the first damaged one."""
        for piece in self._reader.stream(blobs):
            if isinstance(piece, IntegrityError):
                raise piece
            yield piece


def parse_path(text: str) -> TreePath:
    """``/home/me`` as typed; empty, ``.`` and doubled slashes do not count."""
    return tuple(part for part in os.fsencode(text).split(b"/") if part not in (b"", b"."))


def time_text(ns: int) -> str:
    """RFC 3339 with nanoseconds, for programs."""
    return encode_ns(ns)


def show_path(path: TreePath) -> str:
    r"""For people: bytes that are no UTF-8 are shown as ``\xff``."""
    return "/" + b"/".join(path).decode("utf-8", "backslashreplace")


def outermost(selection: Sequence[TreePath]) -> list[TreePath]:
    """Without the paths that lie below another one."""
    chosen: list[TreePath] = []
    for path in sorted(set(selection)):
        if not any(path[: len(outer)] == outer for outer in chosen):
            chosen.append(path)
    return chosen


def _sought(folder: TreeListing, is_sought: IsSought) -> Iterator[Node]:
    """Its folders, and what is sought. Raises ``IntegrityError`` at a damaged one."""
    for number, (name, kind) in enumerate(zip(folder.names, folder.kinds, strict=True)):
        if kind is NodeKind.FOLDER or is_sought(name):
            yield folder[number]


def _only_leads(path: TreePath, wanted: Sequence[TreePath]) -> bool:
    """Whether a path is on the way to a wanted one, and neither one itself nor below one."""
    return any(path == w[: len(path)] for w in wanted) and not any(
        path[: len(w)] == w for w in wanted
    )


def leads_to(path: TreePath, wanted: Sequence[TreePath]) -> bool:
    """Whether a path is on the way to a wanted one, or below it."""
    return any(path[: len(w)] == w[: len(path)] for w in wanted)
