"""Unix sockets (unix(7)): the kernel tells who is at the other end."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from backup_agent.errors import HostError, HungUpError
from backup_agent.host.local_door import Peer

_ADMINISTRATORS = frozenset({"sudo", "wheel", "admin"})
"""Groups whose members may become root: Debian's, Fedora's, Ubuntu's of old."""
_LONGEST_PATH = 100
"""``sun_path`` has 108 bytes."""
_BACKLOG = 16


class UnixLine:
    """A connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _pid, user, _group = struct.unpack("3i", credentials)
        self.peer = Peer(user, user == os.geteuid(), is_administrator(user))

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                break
            data += piece
        return bytes(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class UnixDoor:
    """A listening socket."""

    def __init__(self, path: Path, *, to_administrators: bool) -> None:
        path.parent.mkdir(mode=0o755 if to_administrators else 0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._path = path
        self._socket = _new_socket()
        # Nobody may connect between the two calls.
        before = os.umask(0o177)
        try:
            with _short(path) as name:
                self._socket.bind(name)
        finally:
            os.umask(before)
        if to_administrators:
            path.chmod(0o666)
        self._socket.listen(_BACKLOG)

    def accept(self) -> UnixLine | None:
        try:
            connected, _ = self._socket.accept()
        except OSError:
            return None
        return UnixLine(connected)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class UnixDoors:
    """See :class:`~backup_agent.host.local_door.LocalDoors`."""

    def open(self, path: Path, *, to_administrators: bool) -> UnixDoor:
        try:
            return UnixDoor(path, to_administrators=to_administrators)
        except OSError as exc:
            raise HostError(f"{path} cannot be opened for other programs: {exc.strerror}.") from exc

    def knock(self, path: Path) -> UnixLine:
        connected = _new_socket()
        try:
            with _short(path) as name:
                connected.connect(name)
            return UnixLine(connected)
        except OSError as exc:
            connected.close()
            raise HungUpError(
                f"Nobody answers at {path}.", hint="Start the service: everboot agent."
            ) from exc


def is_administrator(user: int) -> bool:
    """Root, and whoever may become root."""
    if user == 0:
        return True
    try:
        entry = pwd.getpwuid(user)
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    except (KeyError, OSError):
        return False
    names = set()
    for group in groups:
        with contextlib.suppress(KeyError):
            names.add(grp.getgrgid(group).gr_name)
    return bool(names & _ADMINISTRATORS)


def _new_socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for the path that fits into an address, by way of its folder's descriptor."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
