"""What Linux tells of a file, and how to read one without leaving a trace."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from functools import lru_cache

from backup_agent.format.tree import head_owner, head_type, join_head
from backup_agent.model.node import Node, NodeKind, Xattr, go_mode

# O_NONBLOCK: a pipe that took the file's place must not make us wait for a writer.
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@lru_cache(maxsize=1024)
def kind_of(st_mode: int) -> NodeKind:
    return go_mode(st_mode)[0]


def node_of(name: bytes, found: os.stat_result) -> Node:
    """The node of what ``lstat`` found; the access time is the change time, as restic's default
    has it: reading alone must not make a file look changed.
    """
    kind, mode = go_mode(found.st_mode)
    is_file = kind is NodeKind.FILE
    is_device = kind in (NodeKind.BLOCK_DEVICE, NodeKind.CHARACTER_DEVICE)
    has_links = is_file or is_device or kind is NodeKind.SYMLINK
    return Node(
        name=name,
        kind=kind,
        mode=mode,
        mtime_ns=found.st_mtime_ns,
        atime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        uid=found.st_uid,
        gid=found.st_gid,
        user=_user(found.st_uid),
        group=_group(found.st_gid),
        inode=found.st_ino,
        device_id=found.st_dev,
        size=found.st_size if is_file else 0,
        links=found.st_nlink if has_links else 0,
        device=found.st_rdev if is_device else 0,
    )


def file_head(name: bytes, found: os.stat_result) -> bytes:
    """``encode_head(node_of(name, found))`` of a regular file, in half the time."""
    mtime_ns = found.st_mtime_ns
    return join_head(
        name,
        _type(found.st_mode),
        mtime_ns,
        mtime_ns,
        found.st_ctime_ns,
        _owner(found.st_uid, found.st_gid),
        found.st_ino,
        found.st_dev,
        found.st_size,
        found.st_nlink,
    )


def read_xattrs(path: bytes) -> tuple[Xattr, ...]:
    """Every extended attribute, ACLs among them. Raises ``OSError``."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as exc:
        if exc.errno == errno.ENOTSUP:
            return ()
        raise
    xattrs: list[Xattr] = []
    for name in names:
        try:
            xattrs.append(Xattr(name, os.getxattr(path, name, follow_symlinks=False)))
        except OSError as exc:
            # One that was removed since it was listed is not there.
            if exc.errno != errno.ENODATA:
                raise
    return tuple(xattrs)


def open_for_reading(path: bytes) -> int:
    """A descriptor of a regular file; its access time stays where that is allowed."""
    try:
        file = os.open(path, _READ_FLAGS | os.O_NOATIME)
    except PermissionError:
        # Only the owner and root may ask for that.
        file = os.open(path, _READ_FLAGS)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "It is no regular file any more.")
    return file


def readinto(file: int, buffer: memoryview) -> int:
    return os.readv(file, [buffer])


@lru_cache(maxsize=4096)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=4096)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


@lru_cache(maxsize=1024)
def _type(st_mode: int) -> str:
    return head_type(*go_mode(st_mode))


@lru_cache(maxsize=1024)
def _owner(uid: int, gid: int) -> str:
    return head_owner(uid, gid, _user(uid), _group(gid))
