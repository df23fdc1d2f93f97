"""What tests of restored trees need: nodes, a target, and a user without rights."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.model.events import Event
from backup_agent.model.node import Node, Xattr, go_mode
from backup_agent.targets.path import RelPath
from backup_agent.targets.tree import TreeTarget

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def node(
    kind: int = stat.S_IFREG,
    permissions: int = 0o644,
    *,
    size: int = 0,
    link_target: bytes = b"",
    xattrs: tuple[Xattr, ...] = (),
    device: int = 0,
    uid: int | None = None,
    gid: int | None = None,
) -> Node:
    node_kind, mode = go_mode(kind | permissions)
    return Node(
        name=b"unused",
        kind=node_kind,
        mode=mode,
        mtime_ns=1_111_111_111_123_456_789,
        atime_ns=1_222_222_222_987_654_321,
        uid=os.geteuid() if uid is None else uid,
        gid=os.getegid() if gid is None else gid,
        size=size,
        link_target=link_target,
        xattrs=xattrs,
        device=device,
    )


FOLDER = node(stat.S_IFDIR, 0o755)


@contextmanager
def restoring(root: Path, *, own: bool | None = None) -> Iterator[tuple[TreeTarget, list[Event]]]:
    events: list[Event] = []
    target = TreeTarget(root, emit=events.append, own=own)
    try:
        yield target, events
    finally:
        target.close()


def put_file(target: TreeTarget, path: RelPath, content: bytes, of: Node | None = None) -> None:
    made = of or node(size=len(content))
    target.make_file(path, made)
    target.write_at(path, 0, content)
    target.finish_file(path, made)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without privileges, whoever runs the tests."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
