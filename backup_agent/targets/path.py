"""Where a restored item stands below its target, told apart from where it must not stand."""

from __future__ import annotations

from typing import TypeAlias

from backup_agent.errors import UnsafePathError

RelPath: TypeAlias = tuple[bytes, ...]
"""The components below the target's root; the empty tuple is the root itself."""


def shown(path: RelPath) -> str:
    """The path for a person: printable, and telling bytes apart that are not UTF-8."""
    return b"/".join(path).decode("utf-8", "backslashreplace") or "."


def refuse_unsafe_name(name: bytes) -> None:
    """Raise :class:`UnsafePathError` unless the name is one plain component."""
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise UnsafePathError(
            f"The restore point holds an entry called {name!r}, which is no file name.",
            hint="The repository was damaged or tampered with. Run everboot check.",
        )
