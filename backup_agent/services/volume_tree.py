"""The files inside a stored volume, read by a process that may die without harm.

The host's side of ``filesystems.files.reader_messages``: it starts the reader, asks it
for folders and files, and gives it the bytes of the volume that it needs for that.
Nothing a hostile file system can do to the reader reaches further than one
request: a reader that crashed, ran in circles or took all memory is replaced by
a new one when the next thing is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeVar, assert_never

import msgspec

import backup_agent
from backup_agent.errors import CommandFailedError, IntegrityError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.filesystems.files.reader_messages import (
    Answer,
    Data,
    Failed,
    FindHits,
    FromReader,
    GetItem,
    Items,
    ListFolder,
    LookUp,
    Opened,
    OpenVolume,
    Paths,
    ReadFile,
    Request,
    Wanted,
)
from backup_agent.host.command import Conversation
from backup_agent.model.disk import Extent

_READER = "backup_agent.filesystems.files.reader_process"
_SILENCE_SECONDS = 300
"""A reader that lost its way is ended by its limit of CPU time long before that."""
_LARGEST_MESSAGE = 256 << 20
"""A folder of a million names."""
_FIRST_BYTES = 4096
LARGEST_READ = 8 << 20
"""Bytes of a file in one answer."""

_AnswerT = TypeVar("_AnswerT", Items, Data, Paths)


@dataclass(frozen=True, slots=True)
class HitFiles:
    """``paths`` from the volume's root. ``is_complete``: all of its folders could be read."""

    paths: tuple[bytes, ...]
    is_complete: bool


class Image(Protocol):
    """A volume's raw bytes; fewer than ``size`` only at the end."""

    def read_at(self, offset: int, size: int) -> bytes: ...


class VolumeTree:
    """A ``FileTree`` that several threads may ask, one at a time.

    A reader starts when the first thing is asked. A context manager.
    """

    def __init__(
        self,
        image: Image,
        opening: OpenVolume,
        *,
        start: Callable[[], Conversation] | None = None,
    ) -> None:
        self._image = image
        self._opening = opening
        self._start = start or _start_reader
        self._reader: Conversation | None = None
        self._root: Reference | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._answers = msgspec.msgpack.Decoder(FromReader)
        self._lock = Lock()

    @property
    def root(self) -> Reference:
        """Raises ``UnreadableError`` where the file system cannot be opened, and as all others."""
        with self._lock:
            if self._root is None:
                self._opened_reader()
            assert self._root is not None
            return self._root

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        return self._expect(Items, ListFolder(folder)).items

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        return next(iter(self._expect(Items, LookUp(folder, name)).items), None)

    def item(self, reference: Reference) -> TreeItem:
        (item,) = self._expect(Items, GetItem(reference)).items
        return item

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        """Raises ``UnreadableError``, ``IntegrityError`` and ``StorageError``."""
        pieces: list[bytes] = []
        while size > 0:
            asked = min(size, LARGEST_READ)
            piece = self._expect(Data, ReadFile(file, offset, asked, stream)).data
            pieces.append(piece)
            if len(piece) < asked:
                break
            offset += len(piece)
            size -= len(piece)
        return b"".join(pieces)

    def hit_files(self, extents: Sequence[Extent]) -> HitFiles:
        """The files with bytes in those extents of the volume.

        Raises ``UnreadableError``, ``IntegrityError`` and ``StorageError``; folders and
        records that cannot be had are passed over.
        """
        with self._lock:
            reader = self._opened_reader()
            answer, trouble = self._asked(reader, FindHits(tuple(extents)))
        if not isinstance(answer, Paths):
            raise trouble or UnreadableError("The reader of the file system gave a wrong answer.")
        return HitFiles(answer.paths, is_complete=trouble is None)

    def close(self) -> None:
        with self._lock:
            self._end_reader()

    def __enter__(self) -> VolumeTree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _expect(self, kind: type[_AnswerT], request: Request) -> _AnswerT:
        with self._lock:
            answer = self._ask(self._opened_reader(), request)
        if not isinstance(answer, kind):
            raise UnreadableError("The reader of the file system gave a wrong answer.")
        return answer

    def _opened_reader(self) -> Conversation:
        if self._reader is None:
            self._reader = self._start()
            try:
                answer = self._ask(self._reader, self._opening)
            except BaseException:
                self._end_reader()
                raise
            self._root = answer.root if isinstance(answer, Opened) else Reference(0)
        return self._reader

    def _ask(self, reader: Conversation, request: Request) -> Answer:
        answer, trouble = self._asked(reader, request)
        if trouble is not None:
            # To the reader it was only a disk that fails; here it is known why.
            raise trouble
        return answer

    def _asked(
        self, reader: Conversation, request: Request
    ) -> tuple[Answer, IntegrityError | None]:
        """Next to the answer what was wrong with the first bytes that could not be had for it."""
        try:
            answer, trouble = self._exchange(reader, request)
        except (CommandFailedError, msgspec.MsgspecError) as exc:
            self._end_reader()
            raise UnreadableError(
                f"The reader of the file system failed: {exc}",
                hint="The file system in the volume is damaged. Restoring the whole volume and "
                "repairing it there may still help.",
            ) from exc
        except BaseException:
            # In the middle of an exchange: what comes next would be the answer to this.
            self._end_reader()
            raise
        if isinstance(answer, Failed) and trouble is None:
            raise UnreadableError(answer.message, hint=answer.hint)
        return answer, trouble

    def _exchange(
        self, reader: Conversation, request: Request
    ) -> tuple[Answer, IntegrityError | None]:
        """One request and its answer; the bytes wanted in between are served.

        Next to it what was wrong with those bytes, whatever the reader made of that.
        """
        trouble: IntegrityError | None = None
        # Who looks for hit files goes on without what is lost; others have failed already.
        goes_on = isinstance(request, FindHits)
        reader.send(self._encoder.encode(request))
        if isinstance(request, OpenVolume):
            # It is where every file system begins, and may be far away: fetch it while the
            # reader starts. What is wrong with it shows when the reader asks.
            with suppress(IntegrityError):
                self._image.read_at(0, _FIRST_BYTES)
        while True:
            answer = self._answers.decode(reader.receive(timeout_seconds=_SILENCE_SECONDS))
            match answer:
                case Wanted(offset, size):
                    data = b""
                    if trouble is None or goes_on:
                        data, lost = self._serve(offset, size)
                        trouble = trouble or lost
                    reader.send(data)
                case Opened() | Items() | Data() | Paths() | Failed():
                    return answer, trouble
                case _:
                    assert_never(answer)

    def _serve(self, offset: int, size: int) -> tuple[bytes, IntegrityError | None]:
        try:
            return self._image.read_at(max(offset, 0), min(size, _LARGEST_MESSAGE)), None
        except IntegrityError as exc:
            return b"", exc

    def _end_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _start_reader() -> Conversation:
    package_parent = str(Path(backup_agent.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    return Conversation(
        [sys.executable, "-m", _READER],
        environment={"PYTHONPATH": search_path},
        largest_message=_LARGEST_MESSAGE,
    )
