"""The process in which a file system is read, started by ``python -m``.

What is read may be damaged or made with malice, and some of it is read by
libraries in C. Such a library may crash, run in circles or take all memory: here
that costs this process, which holds nothing but the one volume it reads.

It has no file open but its standard input and output, on which it talks as
``reader_messages`` says, each message behind its length (4 bytes, little endian).
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import assert_never

import msgspec

from backup_agent.errors import EverbootError, UnreadableError
from backup_agent.filesystems.files.file_tree import MappedTree
from backup_agent.filesystems.files.hit_files import hit_files
from backup_agent.filesystems.files.open_tree import open_tree
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
from backup_agent.filesystems.files.volume_bytes import VolumeBytes

_MEMORY_BYTES = 1536 << 20
"""Address space, of which an idle interpreter takes a tenth."""
_CPU_SECONDS = 60
"""For one request: a hundred times what the largest honest folder takes."""
_NONSENSE = "The file system is damaged here: what it says makes no sense."


def main() -> None:
    """Answer requests until the host closes the pipe."""
    _limit_memory()
    # A folder of 100,000 names makes many things and no circles of them.
    gc.set_threshold(100_000, 20, 50)
    # Whatever prints to standard output from here on must not get between the messages.
    outlet = os.dup(1)
    os.dup2(2, 1)
    Reader(0, outlet).run()


class Reader:
    """One volume and the pipe it is asked through."""

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet = inlet
        self._outlet = outlet
        self._encoder = msgspec.msgpack.Encoder()
        self._requests = msgspec.msgpack.Decoder(Request)
        self._volume: VolumeBytes | None = None
        self._tree: MappedTree | None = None

    def run(self) -> None:
        while (message := self._receive()) is not None:
            _limit_cpu_from_here()
            self._send(self._answer(self._requests.decode(message)))

    def _answer(self, request: Request) -> Answer:
        try:
            return self._serve(request)
        except EverbootError as exc:
            return Failed(exc.message, exc.hint)
        except MemoryError:
            return Failed("Reading this takes more memory than any honest file system would.")
        except Exception as exc:
            # A reader's mistakes end the request and not the host. What a library says of
            # them is for its makers.
            if self._volume is not None and (failure := self._volume.failure) is not None:
                return Failed(failure.message, failure.hint)
            return Failed(_NONSENSE, "" if isinstance(exc, OSError) else _trace(exc))

    def _serve(self, request: Request) -> Answer:
        if self._volume is not None:
            self._volume.failure = None
        match request:
            case OpenVolume():
                self._volume = VolumeBytes(request.size, self._fetch, unreadable=request.unreadable)
                self._tree = open_tree(
                    self._volume, request.kind, left_out=request.left_out, owner=request.owner
                )
                return Opened(self._tree.root)
            case ListFolder(folder):
                return Items(tuple(self._opened().list_folder(folder)))
            case LookUp(folder, name):
                found = self._opened().look_up(folder, name)
                return Items(() if found is None else (found,))
            case GetItem(reference):
                return Items((self._opened().item(reference),))
            case ReadFile(file, offset, size, stream):
                return Data(self._opened().read_at(file, offset, size, stream=stream))
            case FindHits(extents):
                return Paths(tuple(hit_files(self._opened(), extents)))
            case _:
                assert_never(request)

    def _opened(self) -> MappedTree:
        if self._tree is None:
            raise UnreadableError("The file system was not opened.")
        return self._tree

    def _fetch(self, offset: int, size: int) -> bytes:
        self._send(Wanted(offset, size))
        data = self._receive()
        if data is None:
            sys.exit(0)
        if len(data) != size:
            raise UnreadableError("The repository did not give the volume's bytes.")
        return data

    def _send(self, message: FromReader) -> None:
        body = self._encoder.encode(message)
        pending = memoryview(len(body).to_bytes(4, "little") + body)
        while pending:
            pending = pending[os.write(self._outlet, pending) :]

    def _receive(self) -> bytes | None:
        """``None`` once the host is gone."""
        head = self._exactly(4)
        return self._exactly(int.from_bytes(head, "little")) if head is not None else None

    def _exactly(self, size: int) -> bytes | None:
        pieces: list[bytes] = []
        while size:
            piece = os.read(self._inlet, size)
            if not piece:
                return None
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def _trace(mistake: Exception) -> str:
    """Where it was made, without the text of it, which may hold what a volume says.

    Libraries tell damage as ``OSError``. All else may as well be a mistake of ours.
    """
    trace = mistake.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return (
        f"If the file system is in order elsewhere, please report {type(mistake).__name__} at"
        f" {place}."
    )


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu_from_here() -> None:
    """The system ends the process when this request takes longer: nothing in Python could."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _CPU_SECONDS
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    if most == resource.RLIM_INFINITY or seconds < most:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))


if __name__ == "__main__":
    main()
