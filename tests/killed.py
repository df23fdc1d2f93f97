"""A backup that kills itself: ``python -m tests.killed REPOSITORY SOURCE WHERE NUMBER``.

``WHERE`` is ``reading`` (after so many bytes of the source) or ``saving``
(in the middle of writing the so-manieth file of the repository). SIGKILL, so
that nothing gets to clean up, as in a power cut.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from backup_agent.sources.entry import ByteStream, Entry
from backup_agent.sources.tree import FileStream, FileTree
from backup_agent.storage import local
from backup_agent.storage.backend import Data
from tests.points import back_up, reopen


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingStream:
    """One file's bytes, counted together with those of all others."""

    left = 0

    def __init__(self, inner: FileStream) -> None:
        self.chunking = inner.chunking
        self.changed = inner.changed
        self.unreadable = inner.unreadable
        self.close = inner.close
        self._inner = inner

    def readinto(self, buffer: memoryview) -> int:
        got = self._inner.readinto(buffer)
        DyingStream.left -= got
        if DyingStream.left < 0:
            die()
        return got


class DyingTree(FileTree):
    def open(self, file: Entry) -> ByteStream:
        stream = super().open(file)
        assert isinstance(stream, FileStream)
        return DyingStream(stream)


def die_while_saving(number: int) -> None:
    """Leave the so-manieth file half written."""
    left = number
    write = local._write_all

    def write_half(file: int, data: Data) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            write(file, memoryview(data)[: len(data) // 2])
            die()
        write(file, data)

    local._write_all = write_half


def main(place: str, source: str, where: str, number: str) -> None:
    tree: FileTree = FileTree([source])
    if where == "reading":
        DyingStream.left = int(number)
        tree = DyingTree([source])
    else:
        die_while_saving(int(number))
    back_up(reopen(local.LocalBackend(Path(place))), tree)


if __name__ == "__main__":
    main(*sys.argv[1:])
