"""How processes of one computer speak to each other, and know who they speak to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, on the operating system's word."""

    user: int
    is_own_user: bool
    is_administrator: bool

    @property
    def is_trusted(self) -> bool:
        return self.is_own_user or self.is_administrator


class Line(Protocol):
    """One connection. ``OSError`` of the operating system comes through."""

    @property
    def peer(self) -> Peer: ...

    def send(self, data: bytes) -> None:
        """All of it."""
        ...

    def receive(self, size: int) -> bytes:
        """Exactly so many bytes; fewer only when the other end has closed."""
        ...

    def close(self) -> None:
        """Whoever waits in ``receive`` on another thread is woken."""
        ...


class Door(Protocol):
    """Where others knock."""

    def accept(self) -> Line | None:
        """The next who comes; None once the door is closed."""
        ...

    def close(self) -> None: ...


class LocalDoors(Protocol):
    """Doors are known by a path, which need not be that of a file."""

    def open(self, path: Path, *, to_administrators: bool) -> Door:
        """Only this user can come in; with ``to_administrators`` others may knock, too, and
        :class:`Peer` tells who they are. The caller makes sure that no other process has this
        door open: what a dead one left is replaced. Raises ``HostError``.
        """
        ...

    def knock(self, path: Path) -> Line:
        """Raises ``HungUpError`` where nobody answers."""
        ...
