"""A selection of a restore point as one zip, streamed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, ItemSkipped, Progress
from backup_agent.model.node import NodeKind
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import (
    Found,
    Inside,
    PointBrowser,
    Step,
    TreePath,
    Unreachable,
    show_path,
)
from backup_agent.targets.zip import Sink, ZipTarget

_BATCH_ITEMS = 5_000
_BATCH_BYTES = 64 << 20
_NEWS_SECONDS = 0.1


def zip_files(
    reader: BlobReader,
    browser: PointBrowser,
    sink: Sink,
    *,
    selection: Sequence[TreePath] = (),
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Write the selected items, with the paths they have in the restore point.

    What a volume's file system does not give is left out with an ``ItemSkipped``.
    Raises ``IntegrityError`` at the first thing that is damaged or missing,
    ``UnreadableError`` where a file inside a volume breaks off in its middle,
    ``JobCancelledError``, ``TargetError``; the zip then lacks its end, and no
    program takes it for whole.
    """
    news = _News(emit)
    with ZipTarget(sink, emit=emit) as target:
        for batch in _batches(browser.walk(selection), emit):
            content = reader.stream(blob for found in batch for blob in found.node.content or ())
            for found in batch:
                cancel.raise_if_cancelled()
                if found.inside is not None and _has_content(found, found.inside):
                    _add_from_volume(target, found, found.inside, emit)
                else:
                    mine = _whole(islice(content, len(found.node.content or ())), cancel)
                    _add(target, found, mine)
                    # What the zip did not want must not be taken for the next file's.
                    deque(mine, maxlen=0)
                news.count(found)


def _add(target: ZipTarget, found: Found, content: Iterator[bytes]) -> None:
    match found.node.kind:
        case NodeKind.FOLDER:
            target.add_folder(found.path, found.node)
        case NodeKind.FILE:
            target.add_file(found.path, found.node, content)
        case NodeKind.SYMLINK:
            target.add_symlink(found.path, found.node)
        case _:
            target.add_other(found.path, found.node)


def _has_content(found: Found, inside: Inside) -> bool:
    """Or should have, and a problem instead."""
    return found.node.kind is NodeKind.FILE or bool(inside.problem)


def _add_from_volume(target: ZipTarget, found: Found, inside: Inside, emit: Emit) -> None:
    """A file that cannot be read is left out; once it has begun, the whole zip would be false."""
    problem = inside.problem
    pieces = inside.pieces()
    first: list[bytes] = []
    if not problem:
        try:
            first = list(islice(pieces, 1))
        except UnreadableError as exc:
            problem = exc.message
    if problem:
        emit(ItemSkipped(show_path(found.path), problem, "restore"))
    else:
        _add(target, found, chain(first, pieces))


def _batches(steps: Iterator[Step], emit: Emit) -> Iterator[list[Found]]:
    """So many items at a time that their blobs are fetched together, pack by pack."""
    batch: list[Found] = []
    size = 0
    for step in steps:
        match step:
            case Unreachable(path, UnreadableError() as error):
                emit(ItemSkipped(show_path(path), error.message, "restore"))
            case Unreachable(path, error):
                raise IntegrityError(f"{show_path(path)}: {error.message}", hint=error.hint)
            case Found(leaving=True):
                continue
            case Found():
                batch.append(step)
                size += step.node.size
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_ITEMS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _whole(content: Iterator[bytes | IntegrityError], cancel: CancelToken) -> Iterator[bytes]:
    for piece in content:
        cancel.raise_if_cancelled()
        if isinstance(piece, IntegrityError):
            raise piece
        yield piece


class _News:
    """Counts members and tells, ten times a second at most."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._files = self._bytes = 0
        self._next = 0.0

    def count(self, found: Found) -> None:
        if found.node.kind is NodeKind.FILE:
            self._files += 1
            self._bytes += found.node.size
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _NEWS_SECONDS
            self._emit(
                Progress(
                    phase="zip",
                    files_done=self._files,
                    bytes_done=self._bytes,
                    current=show_path(found.path),
                )
            )
