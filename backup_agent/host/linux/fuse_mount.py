"""Files in a folder by FUSE: libfuse 3, through mfusepy.

The binding is loaded only when something is mounted: looking for the library takes a
while, and who never mounts need not have it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, Thread
from types import ModuleType

from backup_agent.errors import (
    CommandFailedError,
    HostError,
    PrivilegeError,
    TargetError,
    TargetInUseError,
    UnsupportedError,
)
from backup_agent.host.command import is_installed, run
from backup_agent.host.linux.mountinfo import parse_mountinfo
from backup_agent.host.mounting import Handle, ServedFiles, ServedItem, ServedPath
from backup_agent.model.cancel import CancelToken
from backup_agent.model.node import Node, NodeKind

_DEVICE = Path("/dev/fuse")
_HELPER = "fusermount3"
_SETTINGS = Path("/etc/fuse.conf")
_MOUNTS = Path("/proc/self/mountinfo")
_SUBTYPE = "everboot"
_INSTALL = "Install FUSE 3 (on Debian and Ubuntu: apt-get install fuse3)."
_GLANCE_SECONDS = 0.2
_UNMOUNT_SECONDS = 30
_PATIENCE_SECONDS = 5
"""How long those who still have files open are waited for, once the folder is unmounted."""
_FOR_EVER_SECONDS = 86400.0 * 365
"""A restore point never changes, so the system may remember what it was told."""
_IDLE_THREADS = 10
"""libfuse's own choice; but 3.14.0 complains of its own where it is not told."""
_BLOCK = 512
_LONGEST_NAME = 1024
"""FUSE_NAME_MAX of Linux, in bytes."""


class FuseMounter:
    """The :class:`~backup_agent.host.mounting.Mounter` of Linux."""

    def serve(
        self,
        files: ServedFiles,
        folder: Path,
        *,
        name: str,
        others: bool,
        on_ready: Callable[[], None],
        cancel: CancelToken,
    ) -> None:
        place = Path(os.path.abspath(folder))
        _detach_dead(place)
        _refuse_unless_empty(place)
        _refuse_without_rights(place, others=others)
        session = _Session(_load_binding(), files, place, name=name, others=others, ready=on_ready)
        session.start()
        try:
            while session.is_alive() and not cancel.cancelled:
                session.join(_GLANCE_SECONDS)
        finally:
            session.end()
        session.raise_failure()


class _Session(Thread):
    """One mount, served by libfuse in this thread and in others that it starts.

    Not in the main thread: that one must be free to hear of signals. A daemon, because a
    program that keeps a file open must not keep us from ending.
    """

    def __init__(
        self,
        fuse: ModuleType,
        files: ServedFiles,
        folder: Path,
        *,
        name: str,
        others: bool,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(name="mount", daemon=True)
        self._fuse = fuse
        self._folder = folder
        self._source = name
        self._others = others
        self._was_ready = Event()
        self._failure: BaseException | None = None
        self._operations = _Operations(files, self._get_ready, ready)

    def run(self) -> None:
        options: dict[str, object] = {"ro": True, "nosuid": True, "nodev": True}
        if self._others:
            options |= {"allow_other": True, "default_permissions": True}
        try:
            self._fuse.FUSE(
                self._operations,
                str(self._folder),
                foreground=True,
                fsname=self._source,
                subtype=_SUBTYPE,
                max_idle_threads=_IDLE_THREADS,
                use_ino=True,
                kernel_cache=True,
                entry_timeout=_FOR_EVER_SECONDS,
                attr_timeout=_FOR_EVER_SECONDS,
                negative_timeout=_FOR_EVER_SECONDS,
                **options,
            )
        except BaseException as exc:
            self._failure = exc

    def end(self) -> None:
        """Unmount, if nobody else did. Raises ``HostError``."""
        while self.is_alive() and not self._was_ready.is_set():
            # To be unmounted it must be mounted first; either that comes, or the thread ends.
            self.join(_GLANCE_SECONDS)
        if not self.is_alive():
            return
        self._operations.closed = True
        failure: HostError | None = None
        try:
            run(_unmounting(self._folder), timeout_seconds=_UNMOUNT_SECONDS)
        except HostError as exc:
            failure = exc
        self.join(_PATIENCE_SECONDS)
        if failure is not None and self.is_alive() and os.path.ismount(self._folder):
            raise failure

    def raise_failure(self) -> None:
        match self._failure:
            case None:
                return
            case RuntimeError():
                if not self._was_ready.is_set():
                    raise CommandFailedError(
                        f"{self._folder} could not be mounted; libfuse said why above."
                    ) from self._failure
            case failure:
                raise failure

    def _get_ready(self) -> None:
        self._was_ready.set()


class _Operations:
    """The calls that mfusepy passes on, by the names it looks for."""

    use_ns = True

    def __init__(self, files: ServedFiles, *on_ready: Callable[[], None]) -> None:
        self._files = files
        self._on_ready = on_ready
        self.closed = False

    def init_with_config(self, _connection: object, _config: object) -> None:
        for tell in self._on_ready:
            tell()

    def getattr(self, path: str, _handle: int | None = None) -> dict[str, int]:
        return _status(self._look_up(path))

    def readlink(self, path: str) -> str:
        return _text(self._look_up(path).node.link_target)

    def readdir(self, path: str, _handle: int) -> Iterator[tuple[str, dict[str, int], int]]:
        self._refuse_when_closed()
        for name in (".", ".."):
            yield name, {"st_mode": 0o40000}, 0
        for item in self._files.list_folder(_names(path)):
            kind = {"st_mode": item.node.st_mode, "st_ino": item.inode}
            yield _text(item.node.name), kind, 0

    def open(self, path: str, _flags: int) -> int:
        self._refuse_when_closed()
        return self._files.open(_names(path))

    def read(self, _path: str, size: int, offset: int, handle: int) -> bytes:
        self._refuse_when_closed()
        return self._files.read(Handle(handle), offset, size)

    def release(self, _path: str, handle: int) -> int:
        self._files.release(Handle(handle))
        return 0

    def listxattr(self, path: str) -> Sequence[str]:
        return [xattr.name for xattr in self._look_up(path).node.xattrs]

    def getxattr(self, path: str, name: str, _position: int = 0) -> bytes:
        for xattr in self._look_up(path).node.xattrs:
            if xattr.name == name:
                return xattr.value
        raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))

    def statfs(self, _path: str) -> dict[str, int]:
        """No blocks: how large the storage is says nothing about a restore point."""
        return {"f_bsize": _BLOCK, "f_frsize": _BLOCK, "f_namemax": _LONGEST_NAME}

    def _look_up(self, path: str) -> ServedItem:
        self._refuse_when_closed()
        return self._files.look_up(_names(path))

    def _refuse_when_closed(self) -> None:
        if self.closed:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


def _status(item: ServedItem) -> dict[str, int]:
    node = item.node
    size = _size(node)
    return {
        "st_mode": node.st_mode,
        "st_ino": item.inode,
        # One is what file systems say who do not count a folder's folders.
        "st_nlink": 1 if node.kind is NodeKind.FOLDER else max(node.links, 1),
        "st_uid": node.uid,
        "st_gid": node.gid,
        "st_rdev": node.device,
        "st_size": size,
        "st_blocks": -(-size // _BLOCK),
        "st_atime": node.atime_ns,
        "st_mtime": node.mtime_ns,
        "st_ctime": node.ctime_ns,
    }


def _size(node: Node) -> int:
    match node.kind:
        case NodeKind.FILE:
            return node.size
        case NodeKind.SYMLINK:
            return len(node.link_target)
        case _:
            return 0


def _names(path: str) -> ServedPath:
    return tuple(name for name in path.encode("utf-8", "surrogateescape").split(b"/") if name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _unmounting(folder: Path) -> tuple[str, ...]:
    """Take the folder out of the tree at once, even if somebody stands in it."""
    if os.geteuid() == 0:
        return ("umount", "--force", "--lazy", "--", str(folder))
    return (_HELPER, "-u", "-z", "--", str(folder))


def _load_binding() -> ModuleType:
    # mfusepy takes libfuse 2 where both are there, unless it is told the name.
    name = "FUSE_LIBRARY_NAME"
    chosen = os.environ.setdefault(name, "fuse3")
    try:
        import mfusepy
    except (ImportError, OSError, AttributeError) as exc:
        raise UnsupportedError(
            f"The library lib{chosen} is not on this computer.", hint=_INSTALL
        ) from exc
    assert isinstance(mfusepy, ModuleType)
    return mfusepy


def _detach_dead(folder: Path) -> None:
    """Free a folder that a killed ``everboot mount`` left behind. Raises ``HostError``."""
    try:
        os.stat(folder)
    except OSError as exc:
        if exc.errno == errno.ENOTCONN and _mounted_by(folder) == f"fuse.{_SUBTYPE}":
            run(_unmounting(folder), timeout_seconds=_UNMOUNT_SECONDS)


def _mounted_by(folder: Path) -> str:
    """The type of the file system that covers the folder; empty if none is mounted there."""
    mounts = parse_mountinfo(_MOUNTS.read_text())
    return next((m.kind for m in reversed(list(mounts)) if m.place == str(folder)), "")


def _refuse_without_rights(folder: Path, *, others: bool) -> None:
    if not _DEVICE.exists():
        raise UnsupportedError(
            f"{_DEVICE} is not there: this system's kernel offers no FUSE.",
            hint="Try: modprobe fuse. A container must be given the device.",
        )
    if not os.access(_DEVICE, os.R_OK | os.W_OK):
        raise PrivilegeError(
            f"{_DEVICE} may not be used by this user.", hint="Try it as root (sudo)."
        )
    if os.geteuid() != 0:
        if not is_installed(_HELPER):
            raise UnsupportedError(f"The program {_HELPER} is not here.", hint=_INSTALL)
        if not os.access(folder, os.W_OK):
            raise TargetError(
                f"{folder} belongs to somebody else.", hint="Mount on a folder of your own."
            )
        if others and not _may_show_others():
            raise PrivilegeError(
                "Only root may let other users look (--allow-other) on this computer.",
                hint=f"An administrator can allow it to all: user_allow_other in {_SETTINGS}.",
            )


def _may_show_others() -> bool:
    try:
        lines = _SETTINGS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    return "user_allow_other" in (line.strip() for line in lines)


def _refuse_unless_empty(folder: Path) -> None:
    unmount = f"End what is mounted there: fusermount3 -u {folder}"
    try:
        if os.path.ismount(folder):
            raise TargetInUseError(f"Something is mounted at {folder} already.", hint=unmount)
        with os.scandir(folder) as inside:
            if next(inside, None) is not None:
                raise TargetInUseError(
                    f"The folder {folder} is not empty.", hint="Mount on an empty folder."
                )
    except FileNotFoundError as exc:
        raise TargetError(
            f"There is no folder {folder}.", hint=f"Make it first: mkdir -p {folder}"
        ) from exc
    except NotADirectoryError as exc:
        raise TargetError(f"{folder} is no folder.", hint="Mount on an empty folder.") from exc
    except OSError as exc:
        if exc.errno == errno.ENOTCONN:
            raise TargetInUseError(
                f"What was mounted at {folder} before has ended without unmounting it.",
                hint=unmount,
            ) from exc
        raise TargetError(f"{folder} cannot be looked at: {exc.strerror}.") from exc
