"""One entry of a stored tree: a file, folder, link or device, as restic records it."""

from __future__ import annotations

import stat
from enum import StrEnum
from functools import lru_cache

import msgspec

from backup_agent.model.ids import BlobId


class NodeKind(StrEnum):
    """The values are restic's names in the JSON."""

    FILE = "file"
    FOLDER = "dir"
    SYMLINK = "symlink"
    BLOCK_DEVICE = "dev"
    CHARACTER_DEVICE = "chardev"
    FIFO = "fifo"
    SOCKET = "socket"
    IRREGULAR = "irregular"


class Xattr(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One extended attribute; POSIX ACLs are among them (``system.posix_acl_access``)."""

    name: str
    value: bytes


# A msgspec.Struct rather than a dataclass: a backup makes one for every file it looks at,
# and a frozen dataclass takes six times as long to build. ``array_like``: between processes
# their fields' names would be most of the message.
class Node(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """Everything known of one entry. Times are nanoseconds since 1970, sizes bytes.

    ``name`` is the raw file name. ``mode`` holds Go's ``FileMode`` bits, as
    restic stores them (see :func:`go_mode`). ``content`` is ``None`` for all
    but files. ``generic_attributes`` is restic's map of Windows properties, kept as raw JSON.
    """

    name: bytes
    kind: NodeKind
    mode: int = 0
    mtime_ns: int = 0
    atime_ns: int = 0
    ctime_ns: int = 0
    uid: int = 0
    gid: int = 0
    user: str = ""
    group: str = ""
    inode: int = 0
    device_id: int = 0
    size: int = 0
    links: int = 0
    link_target: bytes = b""
    xattrs: tuple[Xattr, ...] = ()
    generic_attributes: bytes = b""
    device: int = 0
    content: tuple[BlobId, ...] | None = None
    subtree: BlobId | None = None

    @property
    def permissions(self) -> int:
        """The mode as ``os.chmod`` wants it: permission, set-id and sticky bits."""
        return _unix_permissions(self.mode)

    @property
    def st_mode(self) -> int:
        """Type and permissions as ``os.stat`` gives them; no type for what is irregular."""
        return _UNIX_TYPES[self.kind] | self.permissions


_GO_FOLDER = 1 << 31
_GO_SYMLINK = 1 << 27
_GO_DEVICE = 1 << 26
_GO_FIFO = 1 << 25
_GO_SOCKET = 1 << 24
_GO_SETUID = 1 << 23
_GO_SETGID = 1 << 22
_GO_CHARACTER = 1 << 21
_GO_STICKY = 1 << 20
_GO_IRREGULAR = 1 << 19

_BY_TYPE = {
    stat.S_IFREG: (NodeKind.FILE, 0),
    stat.S_IFDIR: (NodeKind.FOLDER, _GO_FOLDER),
    stat.S_IFLNK: (NodeKind.SYMLINK, _GO_SYMLINK),
    stat.S_IFBLK: (NodeKind.BLOCK_DEVICE, _GO_DEVICE),
    stat.S_IFCHR: (NodeKind.CHARACTER_DEVICE, _GO_DEVICE | _GO_CHARACTER),
    stat.S_IFIFO: (NodeKind.FIFO, _GO_FIFO),
    stat.S_IFSOCK: (NodeKind.SOCKET, _GO_SOCKET),
}

_UNIX_TYPES = {kind: unix_type for unix_type, (kind, _) in _BY_TYPE.items()}
_UNIX_TYPES[NodeKind.IRREGULAR] = 0


@lru_cache(maxsize=1024)
def go_mode(st_mode: int) -> tuple[NodeKind, int]:
    """A ``st_mode`` as the kind of node and the bits of Go's ``io/fs.FileMode``."""
    kind, mode = _BY_TYPE.get(stat.S_IFMT(st_mode), (NodeKind.IRREGULAR, _GO_IRREGULAR))
    mode |= st_mode & 0o777
    for unix, go in (
        (stat.S_ISUID, _GO_SETUID),
        (stat.S_ISGID, _GO_SETGID),
        (stat.S_ISVTX, _GO_STICKY),
    ):
        if st_mode & unix:
            mode |= go
    return kind, mode


@lru_cache(maxsize=1024)
def _unix_permissions(mode: int) -> int:
    permissions = mode & 0o777
    for unix, go in (
        (stat.S_ISUID, _GO_SETUID),
        (stat.S_ISGID, _GO_SETGID),
        (stat.S_ISVTX, _GO_STICKY),
    ):
        if mode & go:
            permissions |= unix
    return permissions
