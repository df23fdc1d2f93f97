"""Items of a restore point: as JSON, with the names ``restic ls --json`` uses, or as a line."""

from __future__ import annotations

from backup_agent.cli import words
from backup_agent.model.node import Node
from backup_agent.services.browse import TreePath, show_path, time_text


def node_record(path: TreePath, node: Node) -> dict[str, object]:
    record: dict[str, object] = {
        "message_type": "node",
        "name": node.name.decode("utf-8", "backslashreplace"),
        "type": node.kind.value,
        "path": show_path(path),
        "uid": node.uid,
        "gid": node.gid,
        "size": node.size,
        "mode": node.mode,
        "permissions": words.mode(node),
        "mtime": time_text(node.mtime_ns),
        "ctime": time_text(node.ctime_ns),
        "inode": node.inode,
    }
    if node.link_target:
        record["linktarget"] = node.link_target.decode("utf-8", "backslashreplace")
    return record


def node_line(path: TreePath, node: Node, *, long: bool) -> str:
    """``long``: with mode, owner, size and time."""
    line = words.printable(show_path(path))
    if node.link_target:
        target = node.link_target.decode("utf-8", "backslashreplace")
        line = f"{line} -> {words.printable(target)}"
    if not long:
        return line
    owner = f"{node.user or node.uid}:{node.group or node.gid}"
    return (
        f"{words.mode(node)} {owner:<18} {node.size:>14,} {words.moment_ns(node.mtime_ns)} {line}"
    )
