"""Blobs on their way back: fetched a pack at a time, opened, decompressed, hashed.

A restore over the network is bound by round trips, so :meth:`BlobReader.stream`
looks ahead, takes what lies in one pack with as few reads as possible, and
several packs at once. Nothing leaves here whose hash was not checked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeAlias

from backup_agent.errors import IntegrityError, ObjectNotFoundError, StorageError
from backup_agent.format.pack import BlobKind
from backup_agent.format.tree import TreeListing, decode_tree
from backup_agent.model.ids import BlobId, PackId
from backup_agent.model.node import Node
from backup_agent.repository.index import BlobPlace
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.read_ahead import ReadAhead
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey

_Run: TypeAlias = dict[BlobId, bytes | IntegrityError]

_WINDOW_BYTES = 16 << 20
_GAP = 64 << 10
"""Unwanted bytes between two blobs that cost less than another request."""
_LARGEST_READ = 8 << 20
_PARALLEL_READS = 4
_TREE_WINDOW = 512 << 10
_TREE_WINDOWS = 16


@dataclass(slots=True)
class _Window:
    """Blobs that are fetched together, and the run of neighbours that each comes with."""

    granted: int
    size: int = 0
    blobs: list[BlobId] = field(default_factory=list)
    under_way: dict[BlobId, Future[_Run]] = field(default_factory=dict)


class BlobReader:
    """Reads blobs of one repository whose index is loaded. A context manager.

    For several threads; the reads they start run in others.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        window_bytes: int = _WINDOW_BYTES,
        read_ahead: ReadAhead | None = None,
    ) -> None:
        """``window_bytes``: how much a stream fetches at a time; twice that is held.

        ``read_ahead`` bounds what all streams hold together, but for two blobs of each.
        """
        self._repository = repository
        self._window_bytes = window_bytes
        self._read_ahead = read_ahead
        self._own = threading.local()
        self._tree_windows: OrderedDict[tuple[PackId, int], bytes] = OrderedDict()
        self._tree_windows_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="read")

    @property
    def data_blobs(self) -> Container[BlobId]:
        """The data blobs that the index knows."""
        return self._repository.index.data_blobs

    def load(self, kind: BlobKind, blob: BlobId) -> bytes:
        """One blob. Raises ``IntegrityError`` for one that is missing or damaged."""
        return _whole(self._load_run([self._place(kind, blob)])[blob])

    def load_tree(self, tree: BlobId) -> tuple[Node, ...]:
        """The nodes of a folder. Raises ``IntegrityError``."""
        with _naming(tree):
            return decode_tree(self.load_tree_bytes(tree))

    def list_tree(self, tree: BlobId) -> TreeListing:
        """The same for who will look at a few of its nodes. Raises ``IntegrityError``."""
        with _naming(tree):
            return TreeListing(self.load_tree_bytes(tree))

    def load_tree_bytes(self, tree: BlobId) -> bytes:
        """A tree as it is stored. Raises ``IntegrityError``.

        Trees are small and were saved in the order a walk meets them, so what
        lies around one is read with it and kept for the next.
        """
        place = self._place(BlobKind.TREE, tree)
        blob = place.blob
        start = blob.offset - blob.offset % _TREE_WINDOW
        with self._tree_windows_lock:
            window = self._tree_windows.pop((place.pack, start), b"")
        if len(window) < blob.offset - start + blob.length:
            window = self._read_window(place, start)
        with self._tree_windows_lock:
            self._tree_windows[place.pack, start] = window
            if len(self._tree_windows) > _TREE_WINDOWS:
                self._tree_windows.popitem(last=False)
        sealed = memoryview(window)[blob.offset - start :][: blob.length]
        try:
            return self._opener().open(sealed, blob)
        except IntegrityError:
            # Damaged on its way or for good: the plain road reads it again and finds the words.
            return self.load(BlobKind.TREE, tree)

    def distrust_tree(self, tree: BlobId) -> None:
        """Count a tree that proved damaged as unknown: whoever has it is to save it again."""
        self._repository.index.forget_blob(BlobKind.TREE, tree)

    def length(self, blob: BlobId) -> int:
        """A data blob's plain length, without reading it. Raises ``IntegrityError``."""
        return self._place(BlobKind.DATA, blob).blob.plain_length

    def is_lost(self, blob: BlobId) -> bool:
        """Whether no whole copy of a data blob is known, without reading it."""
        return self._repository.index.whole_place(BlobKind.DATA, blob) is None

    def stream(self, blobs: Iterable[BlobId]) -> Iterator[bytes | IntegrityError]:
        """The data blobs in the order asked for, fetched ahead.

        In the place of one that is missing or damaged stands the error that
        says so: the caller decides whether what comes after is still of use.
        """
        ahead: deque[_Window] = deque()
        windows = self._windows(blobs)
        try:
            while True:
                while len(ahead) < 2 and (window := next(windows, None)) is not None:
                    self._fetch(window)
                    ahead.append(window)
                    del window
                if not ahead:
                    return
                # Not by a name of this frame, which would hold it while the next one is fetched.
                yield from self._contents(ahead.popleft())
        finally:
            for unread in ahead:
                for future in unread.under_way.values():
                    future.cancel()
                self._give_back(unread.granted)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read_window(self, place: BlobPlace, start: int) -> bytes:
        key = ObjectKey(FileKind.PACK, place.pack, is_tree=True)
        blob_end = place.blob.offset + place.blob.length
        window_end = min(start + _TREE_WINDOW, self._repository.index.pack_end(place.pack))
        try:
            return self._load_range(key, start, max(blob_end, window_end) - start)
        except ObjectNotFoundError as exc:
            raise _missing_pack(key) from exc

    def _load_range(self, key: ObjectKey, start: int, length: int) -> bytes:
        """Bytes of a pack; fewer where the pack was cut short, for what is left is still good."""
        backend = self._repository.backend
        try:
            return backend.load(key, start, length)
        except ObjectNotFoundError:
            raise
        except StorageError:
            size = backend.size(key)
            if size >= start + length:
                raise
            return backend.load(key, start, size - start) if size > start else b""

    def _windows(self, blobs: Iterable[BlobId]) -> Iterator[_Window]:
        """What is fetched together: as much as is granted, and at least one blob."""
        window: _Window | None = None
        try:
            for blob in blobs:
                place = self._repository.index.find(BlobKind.DATA, blob)
                length = place.blob.plain_length if place else 0
                if window is not None and window.size + length > window.granted:
                    full, window = window, None
                    yield full
                    del full
                if window is None:
                    window = _Window(self._grant())
                window.blobs.append(blob)
                window.size += length
            if window is not None:
                last, window = window, None
                yield last
        finally:
            if window is not None:
                self._give_back(window.granted)

    def _contents(self, window: _Window) -> Iterator[bytes | IntegrityError]:
        try:
            for blob in window.blobs:
                yield window.under_way[blob].result()[blob]
        finally:
            self._give_back(window.granted)

    def _grant(self) -> int:
        wanted = self._window_bytes
        return wanted if self._read_ahead is None else self._read_ahead.grant(wanted)

    def _give_back(self, granted: int) -> None:
        if self._read_ahead is not None:
            self._read_ahead.give_back(granted)

    def _fetch(self, window: _Window) -> None:
        """Start reading a window."""
        by_pack: dict[PackId, list[BlobPlace]] = {}
        for blob in dict.fromkeys(window.blobs):
            place = self._repository.index.find(BlobKind.DATA, blob)
            if place is None:
                missing: Future[_Run] = Future()
                missing.set_result({blob: _not_indexed(BlobKind.DATA, blob)})
                window.under_way[blob] = missing
            else:
                by_pack.setdefault(place.pack, []).append(place)
        for places in by_pack.values():
            for run in neighbours(places):
                future = self._pool.submit(self._load_run, run)
                window.under_way.update((place.blob.id, future) for place in run)

    def _place(self, kind: BlobKind, blob: BlobId) -> BlobPlace:
        place = self._repository.index.find(kind, blob)
        if place is None:
            raise _not_indexed(kind, blob)
        return place

    def _load_run(self, run: Sequence[BlobPlace]) -> _Run:
        """Blobs that lie close together in one pack, by one read; damage is read once more,
        and then looked for where a later run has saved the same blob again.
        """
        results = self._read_run(run)
        if _is_damaged(results):
            results = self._read_run(run)
        if _is_damaged(results):
            for place in run:
                if isinstance(results[place.blob.id], IntegrityError):
                    results.update(self._read_elsewhere(place))
        return results

    def _read_elsewhere(self, damaged: BlobPlace) -> _Run:
        """The blob out of another pack that holds it whole; nothing where there is none."""
        index = self._repository.index
        bad = [damaged]
        for place in index.other_places(damaged):
            results = self._read_run([place])
            if not _is_damaged(results):
                index.damaged.update((copy.pack, copy.blob.id) for copy in bad)
                return results
            bad.append(place)
        return {}

    def _read_run(self, run: Sequence[BlobPlace]) -> _Run:
        start = run[0].blob.offset
        last = run[-1].blob
        key = ObjectKey(FileKind.PACK, run[0].pack, is_tree=last.kind is BlobKind.TREE)
        try:
            data = self._load_range(key, start, last.offset + last.length - start)
        except ObjectNotFoundError:
            return {place.blob.id: _missing_pack(key) for place in run}
        view = memoryview(data)
        results: _Run = {}
        for place in run:
            blob = place.blob
            sealed = view[blob.offset - start : blob.offset - start + blob.length]
            try:
                results[blob.id] = self._opener().open(sealed, blob)
            except IntegrityError as exc:
                results[blob.id] = IntegrityError(
                    f"Blob {blob.id.hex()[:8]} in the pack {key.path} is damaged: {exc.message}",
                    hint="everboot check --read-data tells what is affected.",
                )
        return results

    def _opener(self) -> BlobOpener:
        opener = getattr(self._own, "opener", None)
        if opener is None:
            opener = self._own.opener = BlobOpener(self._repository.sealer())
        assert isinstance(opener, BlobOpener)
        return opener


@contextmanager
def _naming(tree: BlobId) -> Iterator[None]:
    """What is wrong with a tree is told of the one that it is."""
    try:
        yield
    except IntegrityError as exc:
        raise IntegrityError(f"Tree {tree.hex()[:8]}: {exc.message}", hint=exc.hint) from exc


def _is_damaged(results: _Run) -> bool:
    return any(isinstance(result, IntegrityError) for result in results.values())


def _whole(result: bytes | IntegrityError) -> bytes:
    if isinstance(result, IntegrityError):
        raise result
    return result


def _not_indexed(kind: BlobKind, blob: BlobId) -> IntegrityError:
    return IntegrityError(
        f"A {kind.value} blob is in no index: {blob.hex()}.",
        hint="everboot check tells what is affected; everboot repair index may find it.",
    )


def _missing_pack(key: ObjectKey) -> IntegrityError:
    return IntegrityError(
        f"The pack {key.path} is missing.", hint="everboot check tells what is affected."
    )


def neighbours(places: list[BlobPlace]) -> Iterator[list[BlobPlace]]:
    """Group blobs of one pack into runs worth one read each, in the order they lie."""
    run: list[BlobPlace] = []
    start = end = 0
    for place in sorted(places, key=lambda place: place.blob.offset):
        blob = place.blob
        close = blob.offset - end <= _GAP and blob.offset + blob.length - start <= _LARGEST_READ
        if run and not close:
            yield run
            run = []
        if not run:
            start = blob.offset
        run.append(place)
        end = blob.offset + blob.length
    if run:
        yield run
