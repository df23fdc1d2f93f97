"""Where the sockets of unlocked vaults are, however long the path to the data folder is.

A Unix socket's path may have about a hundred bytes. So the folder is opened, and the socket is
named by way of the open folder, which is short (Linux).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PEER = struct.Struct("3i")


@contextmanager
def short_path(folder: Path, name: str) -> Iterator[str]:
    """A path to ``name`` in ``folder`` that fits into a socket's address."""
    number = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{number}/{name}"
    finally:
        os.close(number)


def listening(folder: Path, name: str) -> socket.socket:
    """A socket that only this user reaches. Raises ``OSError``."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(folder, name) as path:
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
    listener.listen(64)
    return listener


def connected(folder: Path, name: str, *, timeout_seconds: float) -> socket.socket:
    """Raises ``OSError`` where nobody listens."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(timeout_seconds)
        with short_path(folder, name) as path:
            stream.connect(path)
    except BaseException:
        stream.close()
        raise
    return stream


def is_own_user(stream: socket.socket) -> bool:
    """Whether the process at the other end runs as this user does."""
    told = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _pid, uid, _gid = _PEER.unpack(told)
    return bool(uid == os.geteuid())
