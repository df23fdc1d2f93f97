"""All servers under their doors' names, each started when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.ceph import ceph
from tests.servers.keystone import keystone
from tests.servers.openstack_swift import openstack_swift
from tests.servers.rclone import rclone
from tests.servers.running import RunningServer
from tests.servers.wsgidav import wsgidav

_Start = Callable[[Path], AbstractContextManager[dict[str, RunningServer]]]

_DOORS: dict[_Start, tuple[str, ...]] = {
    openstack_swift: ("swift", "swift-s3"),
    keystone: ("keystone-password", "keystone-application-credential"),
    ceph: ("ceph-s3", "ceph-swift"),
    wsgidav: ("wsgidav",),
    rclone: ("rclone-webdav", "rclone-webdav-tls", "rclone-rest", "rclone-rest-tls"),
}

DOORS = tuple(name for names in _DOORS.values() for name in names)
"""Every way into a server, for parametrised tests."""


class ServerPark:
    """The doors that are open so far; ``door`` opens more of them."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._open: dict[str, RunningServer] = {}
        self._failed: dict[_Start, BaseException] = {}

    def door(self, name: str) -> RunningServer:
        """The door of that name; its server is started if it does not run yet."""
        if name not in self._open:
            (start,) = (start for start, names in _DOORS.items() if name in names)
            self._open |= self._start(start)
        return self._open[name]

    def _start(self, start: _Start) -> dict[str, RunningServer]:
        if start in self._failed:
            # Every test of that server fails, but only the first one waits for it.
            raise self._failed[start]
        folder = self._folder / start.__name__
        folder.mkdir()
        try:
            return self._stack.enter_context(start(folder))
        except Exception as exc:
            self._failed[start] = exc
            raise


@contextmanager
def server_park() -> Iterator[ServerPark]:
    """A park whose servers end, and whose files vanish, with the block."""
    # Ceph's sockets have a limit of 107 characters for their path: a short one is needed.
    with TemporaryDirectory(prefix="everboot-") as folder, ExitStack() as stack:
        yield ServerPark(stack, Path(folder))
