"""An unlocked vault: what it answers to each request but the zip, which is ``zipping``'s."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain

from backup_agent.errors import IntegrityError, NoSuchPointError, ObjectNotFoundError, UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.browse import (
    Found,
    Step,
    TreePath,
    Unreachable,
    outermost,
    time_text,
)
from backup_agent.services.find import NamePattern, find_files
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.points import Completeness, describe
from backup_agent.services.repositories import BlobReader, ReadAhead, Repository
from console_ui.unlocked.messages import (
    Entry,
    Folder,
    Hits,
    KeepSearch,
    KeepSelection,
    ListFolder,
    Point,
    Points,
    Preview,
    ReadPreview,
    Reference,
    Search,
)
from console_ui.unlocked.references import References, Selection, Words
from console_ui.unlocked.shown import ShownPoint

_WINDOW_BYTES = 2 << 20
_READ_AHEAD_BYTES = 64 << 20
"""Of all downloads together, however many there are and however slowly they are taken."""
_OPEN_POINTS = 4
_KEPT_FOLDERS = 8
_PARALLEL_POINTS = 8
_KEPT_POINTS = 20_000
_NS = 1_000_000_000


class UnlockedVault:
    """One repository whose index is loaded. For several threads.

    All downloads read through ``download_reader``, so that they share its memory and its reads,
    and keep nobody from browsing.
    """

    def __init__(self, repository: Repository, reader: BlobReader) -> None:
        self._repository = repository
        self._reader = reader
        self.download_reader = BlobReader(
            repository, window_bytes=_WINDOW_BYTES, read_ahead=ReadAhead(_READ_AHEAD_BYTES)
        )
        config = repository.config
        self.references = References(f"{config.id}{config.polynomial}".encode())
        self._points: OrderedDict[str, Point] = OrderedDict()
        self._open: OrderedDict[str, _OpenPoint] = OrderedDict()
        self._lock = threading.Lock()
        self._describers = ThreadPoolExecutor(_PARALLEL_POINTS, thread_name_prefix="points")

    def close(self) -> None:
        self._describers.shutdown(cancel_futures=True)
        self.download_reader.close()
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def describe_points(self, ids: Sequence[str]) -> Points:
        """Raises ``StorageError``."""
        found = self._describers.map(self._describe, ids)
        return Points(tuple(point for point in found if point is not None))

    def list_folder(self, request: ListFolder) -> Folder:
        """Raises ``UnknownReferenceError``, ``NoSuchPointError``, ``IntegrityError``,
        ``UnreadableError``, ``StorageError``.
        """
        path = self._path(request.point, request.folder)
        with self._opened(request.point) as point:
            nodes = point.folder(path)
            chosen = nodes[request.start : request.start + request.count]
            return Folder(
                trail=point.shown.trail(path),
                entries=tuple(point.shown.entry((*path, node.name), node) for node in chosen),
                total=len(nodes),
                omissions=point.omissions(),
            )

    def keep_search(self, request: KeepSearch) -> Reference:
        return Reference(self.references.give(Words(request.point, request.words)))

    def search(self, request: Search, cancel: CancelToken) -> Hits:
        """Raises ``UnknownReferenceError``, ``JobCancelledError``, ``UsageError``."""
        wanted = self.references.words(request.search)
        ends_at = time.monotonic() + request.longest_seconds
        hits: list[Entry] = []
        unreachable = 0
        # With readers of its own: who goes through everything must not keep others from browsing.
        with self.browser(wanted.point) as browser:
            shown = ShownPoint(wanted.point, browser, self.references)
            pattern = _pattern(wanted.words)
            walk = _until(ends_at, browser.walk_named(pattern.may_fit))
            steps = (step for step in walk if not shown.is_hidden(step.path))
            for hit in find_files(steps, pattern, cancel=cancel):
                if isinstance(hit, Unreachable):
                    unreachable += 1
                elif len(hits) == request.most:
                    return Hits(wanted.words, tuple(hits), is_all=False, unreachable=unreachable)
                else:
                    where = shown.where(hit.path)
                    hits.append(shown.entry(hit.path, hit.node, folder=where))
        is_all = time.monotonic() < ends_at
        return Hits(wanted.words, tuple(hits), is_all=is_all, unreachable=unreachable)

    def preview(self, request: ReadPreview) -> Preview:
        """Raises as ``list_folder`` does."""
        item = self.references.item(request.file)
        with self._opened(item.point) as point:
            found = point.browser.look_up(item.path)
            return Preview(
                trail=point.shown.trail(item.path[:-1]),
                entry=point.shown.entry(item.path, found.node),
                data=_first_bytes(point.browser, found, request.most),
            )

    def keep_selection(self, request: KeepSelection) -> Reference:
        """Raises ``UsageError`` for one of nothing, ``UnknownReferenceError``."""
        if not request.items:
            raise UsageError("Nothing is selected.", hint="Tick files or folders first.")
        paths = outermost(self._paths(request.point, request.items))
        without = sorted(self._paths(request.point, request.without))
        chosen = Selection(request.point, tuple(paths), tuple(without))
        return Reference(self.references.give(chosen))

    @contextmanager
    def browser(self, point: str) -> Iterator[DeepBrowser]:
        """One of its own, for long work. Raises ``NoSuchPointError``, ``IntegrityError``."""
        with DeepBrowser(self._reader, self._snapshot(point)) as browser:
            yield browser

    def _describe(self, point_id: str) -> Point | None:
        with self._lock:
            known = self._points.get(point_id)
        if known is not None:
            return known
        try:
            snapshot = self._snapshot(point_id)
        except NoSuchPointError:
            return None
        except IntegrityError:
            # Nothing of it is known but that it is there.
            return Point(point_id, "", "", "", Completeness.DAMAGED.value, None, ())
        told = describe(snapshot, self._reader)
        point = Point(
            id=point_id,
            time=time_text(int(snapshot.time.timestamp() * _NS)),
            host=snapshot.hostname,
            kind=told.kind.value,
            completeness=told.completeness.value,
            size=told.size,
            paths=snapshot.paths,
        )
        with self._lock:
            self._points[point_id] = point
            if len(self._points) > _KEPT_POINTS:
                self._points.popitem(last=False)
        return point

    def _snapshot(self, point_id: str) -> Snapshot:
        try:
            return self._repository.load_snapshot(SnapshotId(point_id))
        except ObjectNotFoundError as exc:
            raise NoSuchPointError("This restore point is not there any more.") from exc

    def _path(self, point: str, reference: str) -> TreePath:
        return self._paths(point, (reference,))[0] if reference else ()

    def _paths(self, point: str, references: Sequence[str]) -> list[TreePath]:
        items = [self.references.item(reference) for reference in references]
        if any(item.point != point for item in items):
            raise UsageError("This is another restore point's.")
        return [item.path for item in items]

    @contextmanager
    def _opened(self, point_id: str) -> Iterator[_OpenPoint]:
        """Kept open for the next click; those used longest ago are closed."""
        with self._lock:
            point = self._open.get(point_id)
        if point is None:
            point = _OpenPoint(point_id, self._reader, self._snapshot(point_id), self.references)
        with self._lock:
            # Two clicks at once may both have opened it: the second one's serves both from now on.
            self._open[point_id] = point
            self._open.move_to_end(point_id)
            unused = self._open.popitem(last=False)[1] if len(self._open) > _OPEN_POINTS else None
        if unused is not None:
            unused.close()
        with point.lock:
            yield point


class _OpenPoint:
    """A restore point that somebody browses, one request at a time."""

    def __init__(
        self, point: str, reader: BlobReader, snapshot: Snapshot, references: References
    ) -> None:
        self.lock = threading.Lock()
        self.browser = DeepBrowser(reader, snapshot)
        self.shown = ShownPoint(point, self.browser, references)
        self._folders: OrderedDict[TreePath, Sequence[Node]] = OrderedDict()
        self._omissions: int | None = None

    def folder(self, path: TreePath) -> Sequence[Node]:
        """Sorted once for all the pages of a large folder."""
        nodes = self._folders.pop(path, None)
        if nodes is None:
            nodes = self.shown.children(path)
        self._folders[path] = nodes
        if len(self._folders) > _KEPT_FOLDERS:
            self._folders.popitem(last=False)
        return nodes

    def omissions(self) -> int:
        if self._omissions is None:
            self._omissions = len(self.browser.omissions())
        return self._omissions

    def close(self) -> None:
        with self.lock:
            self.browser.close()


def _first_bytes(browser: DeepBrowser, found: Found, most: int) -> bytes:
    if found.node.kind is not NodeKind.FILE:
        return b""
    if found.inside is not None:
        pieces: Iterator[bytes] = found.inside.pieces()
    else:
        pieces = browser.fetch(_first_blobs(browser, found, most))
    data = bytearray()
    for piece in chain(pieces, [b""]):
        data += piece
        if len(data) >= most:
            break
    return bytes(data[:most])


def _first_blobs(browser: DeepBrowser, found: Found, most: int) -> Iterator[BlobId]:
    """Those that hold the first bytes: reading ahead would fetch all of a large file."""
    for blob, length in browser.blobs(found.node):
        if most <= 0:
            return
        yield blob
        most -= length


def _pattern(words: str) -> NamePattern:
    """What people type is part of a name, unless it has a ``*`` or ``?`` and so is a pattern.

    Raises ``UsageError``.
    """
    is_pattern = "*" in words or "?" in words
    pattern = words if is_pattern else f"*{words.replace('[', '[[]')}*"
    return NamePattern(pattern, ignore_case=True)


def _until(ends_at: float, steps: Iterator[Step]) -> Iterator[Step]:
    for step in steps:
        if time.monotonic() >= ends_at:
            return
        yield step
