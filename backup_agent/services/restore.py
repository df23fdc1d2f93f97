"""Bringing files back: from a restore point into a folder.

A damaged file is left out and said so, never filled with zeros; everything
that is whole is restored.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from backup_agent.errors import (
    EverbootError,
    IntegrityError,
    JobCancelledError,
    UnreadableError,
    UnsafePathError,
)
from backup_agent.format.omissions import FOLDER as OWN_FOLDER
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, ItemSkipped, Progress
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
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
from backup_agent.services.existing import Existing, settle
from backup_agent.targets.path import refuse_unsafe_name
from backup_agent.targets.tree import TreeTarget

_BATCH_BYTES = 256 << 20
_BATCH_ITEMS = 20_000
_NEWS_SECONDS = 0.1

_SameFile: TypeAlias = tuple[object, ...]
"""A file inside a volume by what its file system calls it. Others by device, inode, size and
content: inodes are given anew and devices share numbers, so two files of one restore point may
well have the first two in common."""


@dataclass(slots=True)
class RestoreResult:
    """``skipped`` counts what could not be written as recorded, ``damaged`` what the
    repository could not give back whole.
    """

    files: int = 0
    folders: int = 0
    others: int = 0
    bytes: int = 0
    skipped: int = 0
    damaged: list[str] = field(default_factory=list)


def restore_files(
    reader: BlobReader,
    browser: PointBrowser,
    target: Path,
    *,
    selection: Sequence[TreePath] = (),
    verify: bool = False,
    existing: Existing | None = None,
    emit: Emit,
    cancel: CancelToken,
) -> RestoreResult:
    """Write the selected items, with the folders that lead to them, below ``target``.

    ``existing`` is for a target that is in use: it says what becomes of what stands there, and
    leaves the folders on the way as they are. None makes the target what the restore point has.
    The list of omissions is restored only where it is selected.
    Names that are no file names, and second entries of one name, count as damaged.
    Raises ``NoSuchPointError``, ``TargetError``, ``StorageError``, ``JobCancelledError``.
    """
    own = any(path[:1] == (OWN_FOLDER,) for path in selection)
    run = _Restore(
        reader,
        target,
        on_the_way=partial(browser.is_on_the_way, selection=selection),
        verify=verify,
        emit=emit,
        cancel=cancel,
    )
    summary = browser.snapshot.summary
    if summary is not None and not selection:
        run.expect(summary.total_files_processed, summary.total_bytes_processed)
    steps = browser.walk(selection)
    if existing is not None:
        steps = settle(
            steps,
            target,
            existing,
            is_on_the_way=partial(browser.is_on_the_way, selection=selection),
            mark=f"restored {browser.snapshot.time:%Y-%m-%d %H.%M}",
            emit=emit,
        )
    try:
        for batch in _batches(run.admit(steps, own=own)):
            run.write(batch)
        run.make_durable()
    except JobCancelledError as exc:
        run.make_durable()
        raise JobCancelledError(
            "Stopped as asked. Files restored so far are whole; "
            "run the same command again for the rest."
        ) from exc
    finally:
        run.close()
    return run.result


def _batches(steps: Iterator[Step]) -> Iterator[list[Step]]:
    """So many items at a time that their blobs are fetched together, pack by pack."""
    batch: list[Step] = []
    size = 0
    for step in steps:
        batch.append(step)
        size += step.node.size if isinstance(step, Found) else 0
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_ITEMS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _name_error(name: bytes, taken: set[bytes]) -> EverbootError | None:
    """Why no item of that name may be written beside those; takes the name otherwise."""
    try:
        refuse_unsafe_name(name)
    except UnsafePathError as exc:
        return exc
    if name in taken:
        return IntegrityError("The restore point holds two entries of that name.")
    taken.add(name)
    return None


def _reads_back_differently(offset: int) -> IntegrityError:
    return IntegrityError(f"It reads back differently from the target at {offset}.")


@dataclass(frozen=True, slots=True)
class _Work:
    """A step and what it needs: blobs, or the file it is a hard link to, or nothing."""

    step: Step
    blobs: tuple[BlobId, ...] = ()
    link_to: TreePath | None = None
    problem: IntegrityError | None = None


class _Restore:
    """One run: where it is, what it wrote, what went wrong."""

    def __init__(
        self,
        reader: BlobReader,
        target: Path,
        *,
        on_the_way: Callable[[TreePath], bool],
        verify: bool,
        emit: Emit,
        cancel: CancelToken,
    ) -> None:
        self._reader = reader
        self._on_the_way = on_the_way
        self._emit = emit
        self._cancel = cancel
        self._verify = verify
        self._target = TreeTarget(target, emit=self._forward)
        self._damaged: dict[TreePath, EverbootError] = {}
        self._first_link: dict[_SameFile, TreePath] = {}
        self._files_expected = self._bytes_expected = 0
        self._next_news = 0.0
        self.result = RestoreResult()

    def expect(self, files: int, size: int) -> None:
        self._files_expected = files
        self._bytes_expected = size

    def make_durable(self) -> None:
        self._target.make_durable()

    def close(self) -> None:
        self._target.close()

    def admit(self, steps: Iterator[Step], *, own: bool) -> Iterator[Step]:
        """The steps to be taken: without the items that must not be written, and all below them.

        ``own``: with the folder that tells of the backup and was on no disk.
        Sorted out before their content is fetched; one bad name costs no other item.
        """
        names: dict[TreePath, set[bytes]] = {}
        refused: TreePath | None = None
        for step in steps:
            # A forged tree below a refused folder may have no end.
            self._cancel.raise_if_cancelled()
            leaving = isinstance(step, Found) and step.leaving
            if refused is not None:
                if leaving and step.path == refused:
                    refused = None
                continue
            if leaving:
                names.pop(step.path, None)
            elif isinstance(step, Found):
                if step.path == (OWN_FOLDER,) and step.node.kind is NodeKind.FOLDER and not own:
                    refused = step.path
                    continue
                error = _name_error(step.path[-1], names.setdefault(step.path[:-1], set()))
                if error is not None:
                    self._report_damage(step.path, error)
                    if step.node.kind is NodeKind.FOLDER:
                        refused = step.path
                    continue
            yield step

    def write(self, batch: Sequence[Step]) -> None:
        works = [self._prepare(step) for step in batch]
        content = self._reader.stream(blob for work in works for blob in work.blobs)
        for work in works:
            self._cancel.raise_if_cancelled()
            self._do(work, content)
            self._news(work.step.path)

    def _prepare(self, step: Step) -> _Work:
        """Decide what a step needs, before its content is fetched."""
        if not isinstance(step, Found) or step.leaving or step.node.kind is not NodeKind.FILE:
            return _Work(step)
        node, inside = step.node, step.inside
        if node.links > 1:
            same: _SameFile = (node.device_id, node.inode, node.size, node.content)
            if inside is not None:
                same = inside.identity
            first = self._first_link.setdefault(same, step.path)
            if first != step.path:
                return _Work(step, link_to=first)
        if inside is not None:
            return _Work(step)
        try:
            self._require_size(node)
        except IntegrityError as exc:
            return _Work(step, problem=exc)
        return _Work(step, blobs=node.content or ())

    def _require_size(self, node: Node) -> None:
        """A file whose blobs do not add up to its size would end in zeros nobody backed up."""
        size = sum(self._reader.length(blob) for blob in node.content or ())
        if size != node.size:
            raise IntegrityError(f"Its content has {size} bytes, its size says {node.size}.")

    def _do(self, work: _Work, content: Iterator[bytes | IntegrityError]) -> None:
        match work.step:
            case Unreachable(path, error):
                self._damage(path, error)
            case Found(path, node, leaving=True):
                self._target.finish_folder(path, node, on_the_way=self._on_the_way(path))
            case Found(path, inside=inside) if inside is not None and inside.problem:
                self._damage(path, UnreadableError(inside.problem))
            case Found(path, Node(kind=NodeKind.FOLDER)):
                self.result.folders += self._target.make_folder(path)
            case Found(path, Node(kind=NodeKind.FILE) as node):
                if work.problem is not None:
                    self._damage(path, work.problem)
                elif work.link_to is not None:
                    self._link(path, work.link_to)
                elif work.step.inside is not None:
                    self._write_from_volume(path, node, work.step.inside)
                else:
                    self._write_file(path, node, work.blobs, content)
            case Found(path, node):
                self.result.others += self._target.make_other(path, node)

    def _link(self, path: TreePath, first: TreePath) -> None:
        if first in self._damaged:
            error = self._damaged[first]
            if not isinstance(error, UnreadableError):
                error = IntegrityError("It is the same file as a damaged one.")
            self._damage(path, error)
        else:
            self.result.files += self._target.link_file(path, first)

    def _write_file(
        self,
        path: TreePath,
        node: Node,
        blobs: Sequence[BlobId],
        content: Iterator[bytes | IntegrityError],
    ) -> None:
        stands = self._target.make_file(path, node)
        problem: IntegrityError | None = None
        offset = 0
        for blob in blobs:
            piece = next(content)
            if isinstance(piece, IntegrityError):
                problem = problem or piece
            elif stands and problem is None:
                problem = self._write_piece(path, offset, piece, blob)
                offset += len(piece)
            self._cancel.raise_if_cancelled()
            self._news(path)
        if problem is not None:
            self._target.discard_file(path)
            self._damage(path, problem)
        elif stands:
            self.result.files += self._target.finish_file(path, node)

    def _write_from_volume(self, path: TreePath, node: Node, inside: Inside) -> None:
        stands = self._target.make_file(path, node)
        offset = 0
        try:
            for piece in inside.pieces() if stands else ():
                self._target.write_at(path, offset, piece)
                if self._verify and self._target.read_at(path, offset, len(piece)) != piece:
                    raise _reads_back_differently(offset)
                offset += len(piece)
                self.result.bytes += len(piece)
                self._cancel.raise_if_cancelled()
                self._news(path)
        except (IntegrityError, UnreadableError) as exc:
            self._target.discard_file(path)
            self._damage(path, exc)
            return
        if stands:
            self.result.files += self._target.finish_file(path, node)

    def _write_piece(
        self, path: TreePath, offset: int, piece: bytes, blob: BlobId
    ) -> IntegrityError | None:
        self._target.write_at(path, offset, piece)
        self.result.bytes += len(piece)
        if self._verify:
            back = self._target.read_at(path, offset, len(piece))
            if hashlib.sha256(back).digest() != blob:
                return _reads_back_differently(offset)
        return None

    def _damage(self, path: TreePath, error: EverbootError) -> None:
        self._damaged[path] = error
        if isinstance(error, UnreadableError):
            # The repository gave all it has: it was the disk, or its file system, that did not.
            self._forward(ItemSkipped(show_path(path), error.message, "restore"))
        else:
            self._report_damage(path, error)

    def _report_damage(self, path: TreePath, error: EverbootError) -> None:
        self.result.damaged.append(show_path(path))
        self._emit(ItemSkipped(show_path(path), error.message, "restore"))

    def _forward(self, event: Event) -> None:
        if isinstance(event, ItemSkipped):
            self.result.skipped += 1
        self._emit(event)

    def _news(self, path: TreePath) -> None:
        now = time.monotonic()
        if now < self._next_news:
            return
        self._next_news = now + _NEWS_SECONDS
        self._emit(
            Progress(
                phase="restore",
                files_done=self.result.files,
                files_total=self._files_expected,
                bytes_done=self.result.bytes,
                bytes_total=self._bytes_expected,
                current=show_path(path),
            )
        )
