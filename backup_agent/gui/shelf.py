"""One repository whose restore points are looked at: everything that waits for storage.

All of it happens one after the other beside the window's thread, for one reader serves one at a
time. The pages get plain rows, sorted and worded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from backup_agent.agent.desk import Reach
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event
from backup_agent.model.ids import SnapshotId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.qtkit.job_queue import JobQueue, Wish
from backup_agent.services.browse import TreePath
from backup_agent.services.existing import Existing
from backup_agent.services.open_repository import OpenRepository
from backup_agent.services.points import Completeness, PointKind, list_points
from backup_agent.services.repositories import Access
from backup_agent.services.restore import RestoreResult, restore_files
from backup_agent.services.versions import NameHistory, Version, find_versions, folder_history
from backup_agent.services.zip import zip_files

_MOST_FOUND = 2000
_HISTORY_POINTS = 200


@dataclass(frozen=True, slots=True)
class PointRow:
    """One restore point, as the time line shows it."""

    id: SnapshotId
    time: datetime
    computer: str
    is_machine: bool
    is_whole: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One item of a folder. ``point`` is set where it is of another point than the one shown."""

    path: TreePath
    name: str
    is_folder: bool
    is_link: bool
    size: int
    mtime_ns: int
    point: SnapshotId | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be restored, of one restore point."""

    point: SnapshotId
    paths: tuple[TreePath, ...]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """``done`` gets the answer, ``failed`` the error, ``news`` what happens meanwhile."""

    done: Callable[[Any], object]
    failed: Callable[[BaseException], object]
    news: Callable[[Event], object] | None = field(default=None)


class Shelf(QObject):
    """Open one repository, then ask of it; answers come to ``Callbacks``."""

    def __init__(self, environment: Mapping[str, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._environment = environment
        self._repository = OpenRepository()
        self._queue = JobQueue(self)
        self._snapshots: dict[SnapshotId, Snapshot] = {}

    @property
    def is_idle(self) -> bool:
        return self._queue.is_idle

    def open(self, reach: Reach, callbacks: Callbacks) -> None:
        """``done`` gets its points, oldest first, as a tuple of ``PointRow``."""

        def work(_emit: Emit, _cancel: CancelToken) -> tuple[PointRow, ...]:
            environment = {**self._environment, **reach.secrets.variables}
            cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "everboot"
            self._repository.open(
                Access(
                    address=reach.address,
                    password=lambda: reach.secrets.password,
                    environment=environment,
                    cache=cache,
                )
            )
            return self._read_points()

        self._submit(work, callbacks, kind="open")

    def list_folder(self, point: SnapshotId, path: TreePath, callbacks: Callbacks) -> None:
        """``done`` gets a tuple of ``FileRow``, folders first."""

        def work(_emit: Emit, _cancel: CancelToken) -> tuple[FileRow, ...]:
            nodes = self._repository.browse(point).list_folder(path)
            return in_order(row_of(path, node) for node in nodes)

        self._submit(work, callbacks)

    def history(self, path: TreePath, callbacks: Callbacks) -> None:
        """``done`` gets ``folder_history`` of the latest points, and the times of those points."""

        def work(_emit: Emit, cancel: CancelToken) -> dict[bytes, NameHistory]:
            _, reader = self._repository.parts()
            newest = sorted(self._snapshots.values(), key=lambda s: s.time, reverse=True)
            return folder_history(reader, newest[:_HISTORY_POINTS], path, cancel=cancel)

        self._submit(work, callbacks, kind="history")

    def search(self, text: str, callbacks: Callbacks) -> None:
        """``done`` gets a tuple of ``FileRow`` of any points, newest first."""

        def work(_emit: Emit, cancel: CancelToken) -> tuple[FileRow, ...]:
            _, reader = self._repository.parts()
            newest = sorted(self._snapshots.values(), key=lambda s: s.time, reverse=True)
            found: list[FileRow] = []
            for version in find_versions(reader, newest, text, cancel=cancel):
                found.append(_row_of_version(version))
                if len(found) == _MOST_FOUND:
                    break
            return tuple(found)

        self._submit(work, callbacks, kind="search")

    def restore(
        self, selection: Selection, target: Path, existing: Existing, callbacks: Callbacks
    ) -> None:
        """``done`` gets the ``RestoreResult``."""

        def work(emit: Emit, cancel: CancelToken) -> RestoreResult:
            self._repository.emit = emit
            browser = self._repository.browse(selection.point)
            _, reader = self._repository.parts()
            return restore_files(
                reader,
                browser,
                target,
                selection=selection.paths,
                existing=existing,
                emit=emit,
                cancel=cancel,
            )

        self._submit(work, callbacks)

    def zip(self, selection: Selection, file: Path, callbacks: Callbacks) -> None:
        """``done`` gets the size of the zip. One that was not finished is removed."""

        def work(emit: Emit, cancel: CancelToken) -> int:
            browser = self._repository.browse(selection.point)
            _, reader = self._repository.parts()
            draft = file.with_name(f"{file.name}.part")
            try:
                with draft.open("wb") as sink:
                    zip_files(
                        reader, browser, sink, selection=selection.paths, emit=emit, cancel=cancel
                    )
                draft.replace(file)
            finally:
                draft.unlink(missing_ok=True)
            return file.stat().st_size

        self._submit(work, callbacks)

    def stop(self) -> None:
        """Ask what goes on to end; its callback tells how it ended."""
        self._queue.stop_current()

    def close(self) -> None:
        self._repository.stop()
        self._queue.close()
        self._repository.close()

    def _submit(
        self, work: Callable[[Emit, CancelToken], Any], callbacks: Callbacks, *, kind: str = ""
    ) -> None:
        self._queue.submit(Wish(work, callbacks.done, callbacks.failed, callbacks.news, kind))

    def _read_points(self) -> tuple[PointRow, ...]:
        repository, reader = self._repository.parts()
        points = list(list_points(repository, reader, on_damage=lambda _file: None))
        self._snapshots = {point.snapshot.id: point.snapshot for point in points}
        return tuple(
            PointRow(
                point.snapshot.id,
                point.snapshot.time.astimezone(),
                point.snapshot.hostname,
                point.kind is PointKind.DISK,
                point.completeness in (Completeness.COMPLETE, Completeness.UNKNOWN),
                point.size,
            )
            for point in sorted(points, key=lambda point: point.snapshot.time)
        )


def row_of(folder: TreePath, node: Node) -> FileRow:
    return FileRow(
        (*folder, node.name),
        node.name.decode("utf-8", "backslashreplace"),
        node.kind is NodeKind.FOLDER,
        node.kind is NodeKind.SYMLINK,
        node.size,
        node.mtime_ns,
    )


def _row_of_version(version: Version) -> FileRow:
    return replace(row_of(version.path[:-1], version.node), point=version.point)


def in_order(rows: Iterable[FileRow]) -> tuple[FileRow, ...]:
    """Folders first, then by name, case aside.

    Plain texts are compared several times as fast as tuples, and nobody else runs meanwhile: with
    100,000 rows the window would notice.
    """
    everything = list(rows)
    folders = sorted((row for row in everything if row.is_folder), key=_name_key)
    others = sorted((row for row in everything if not row.is_folder), key=_name_key)
    return (*folders, *others)


def _name_key(row: FileRow) -> str:
    return row.name.casefold()
