"""What belongs to a file besides its content, set in the one order that works.

1. Owner: changing it clears the set-id bits and ``security.capability``.
2. Extended attributes, ACLs among them: ``user.*`` needs write permission, which
   the recorded mode may take away from the owner; setting an ACL may clear set-gid.
3. Mode.
4. Times: all of the above change the ctime at most, but content must be written before.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from backup_agent.model.node import Node, NodeKind

_NO_XATTRS = {errno.ENOTSUP, errno.EOPNOTSUPP}
_INHERITED = ("user.", "system.posix_acl_")
"""Attributes that a thing may have before we set any, from its folder's default ACL or an
earlier life. Others (a security label) belong to the system that is restored to."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What could not be set. ``foreign_owner``: it stays with us because owners are left alone."""

    problems: tuple[str, ...] = ()
    foreign_owner: bool = False


def apply_metadata(at: int | str, node: Node, *, own: bool) -> Shortfall:
    """Set the node's metadata on an open file or folder, or on a path that leads to one thing.

    Each part is tried even where another one failed.
    """
    problems: list[str] = []

    def attempt(what: str, action: Callable[[], None]) -> None:
        try:
            action()
        # ValueError: a NUL inside a name; OverflowError: an id or a time out of range.
        except (OSError, ValueError, OverflowError) as exc:
            problems.append(f"{what}: {getattr(exc, 'strerror', None) or exc}")

    if own:
        attempt("owner", lambda: _set_owner(at, node))
    attempt("extended attributes", lambda: _remove_inherited(at, node))
    for xattr in node.xattrs:
        # Note: ext4 says ENOSPC for an attribute too large for it; that is no full disk.
        attempt(
            f"extended attribute {xattr.name}",
            partial(os.setxattr, at, _raw(xattr.name), xattr.value),
        )
    owner = os.stat(at)
    if node.kind is not NodeKind.SYMLINK:
        mode = node.permissions & ~_unearned_bits(node, owner)
        attempt("mode", lambda: os.chmod(at, mode))
        if mode != node.permissions:
            problems.append("set-id bits left off, for the recorded owner could not be set")
    attempt("times", lambda: os.utime(at, ns=(node.atime_ns, node.mtime_ns)))
    foreign = (owner.st_uid, owner.st_gid) != (node.uid, node.gid)
    return Shortfall(tuple(problems), foreign_owner=foreign and not own)


def _set_owner(at: int | str, node: Node) -> None:
    standing = os.stat(at)
    if (standing.st_uid, standing.st_gid) != (node.uid, node.gid):
        os.chown(at, node.uid, node.gid)


def _unearned_bits(node: Node, owner: os.stat_result) -> int:
    """A program that ran as its owner must not come to run as whoever restored it."""
    unearned = 0
    if node.kind is not NodeKind.FOLDER:
        if owner.st_uid != node.uid:
            unearned |= stat.S_ISUID
        if owner.st_gid != node.gid:
            unearned |= stat.S_ISGID
    return unearned


def _remove_inherited(at: int | str, node: Node) -> None:
    try:
        present = os.listxattr(at)
    except OSError as exc:
        if exc.errno in _NO_XATTRS:
            return
        raise
    recorded = {xattr.name for xattr in node.xattrs}
    for name in present:
        if name.startswith(_INHERITED) and name not in recorded:
            os.removexattr(at, name)


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
