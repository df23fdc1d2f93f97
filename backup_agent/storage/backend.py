"""What a repository needs of the place that keeps it, and what it may rely on.

Every backend passes ``tests/contract``; that suite is the long form of the
promises in the docstrings here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeAlias

Data: TypeAlias = bytes | bytearray | memoryview


class FileKind(Enum):
    """The kinds of file in a repository; the value is the folder restic keeps them in."""

    CONFIG = "config"
    KEY = "keys"
    LOCK = "locks"
    SNAPSHOT = "snapshots"
    INDEX = "index"
    PACK = "data"


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One file of a repository. ``name`` is 64 hex digits, or empty for the config.

    ``is_tree`` marks a pack known to hold trees: a hint for the cache, no part
    of the identity.
    """

    kind: FileKind
    name: str = ""
    is_tree: bool = field(default=False, compare=False)

    @property
    def path(self) -> str:
        """The place below the repository's root in restic's default layout."""
        match self.kind:
            case FileKind.CONFIG:
                return "config"
            case FileKind.PACK:
                return f"data/{self.name[:2]}/{self.name}"
            case _:
                return f"{self.kind.value}/{self.name}"


CONFIG = ObjectKey(FileKind.CONFIG)


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One line of a listing; ``size`` in bytes."""

    name: str
    size: int


class Backend(Protocol):
    """Keeps named, write-once objects. All methods may be called from several threads at once.

    Failures are :class:`~backup_agent.errors.StorageError` and its children:
    ``TransientStorageError`` where trying again may help, ``ObjectNotFoundError``
    where the object is known to be absent, ``StorageFullError``,
    ``AccessDeniedError``. No library's own exception comes through.
    """

    @property
    def location(self) -> str:
        """The address for messages, with credentials masked."""
        ...

    @property
    def listing_may_lag(self) -> bool:
        """Whether listings may leave out for a good while what was saved before.

        No lock is sure to be seen then: what becomes unneeded is deleted only
        after a grace period.
        """
        ...

    def prepare(self) -> None:
        """Make the place ready for a new repository (folder, bucket, container). Idempotent."""
        ...

    def save(self, key: ObjectKey, data: Data) -> None:
        """Store the whole object; on return it is durable and readable under its name.

        Never visible in part: after a failure there is the whole object or
        none. Names are content hashes, so saving the same object again is
        harmless and leaves it whole.
        """
        ...

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        """The object's bytes ``offset`` to ``offset + length`` (to the end when ``None``).

        Raises ``ObjectNotFoundError``; ``TransientStorageError`` for a body
        that was cut on its way; that or plain ``StorageError`` for an object
        that ends before ``offset + length``.
        """
        ...

    def size(self, key: ObjectKey) -> int:
        """The object's length in bytes. Raises ``ObjectNotFoundError``."""
        ...

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        """All objects of that kind, in no order; names that are not 64 hex digits are left out.

        A listing may lag behind on object stores: what is absent from it is
        not thereby gone. A failed listing raises, it never looks empty.
        """
        ...

    def remove(self, key: ObjectKey) -> None:
        """Delete the object; one that is already gone is no error."""
        ...

    def sweep(self) -> int:
        """Remove what saves that broke off a day ago or earlier left where no listing shows it.

        Only for who has the repository alone. Returns how many files it were.
        """
        ...

    def close(self) -> None:
        """Release connections. The backend is not used afterwards."""
        ...


REMAINS_AGE_SECONDS = 24 * 60 * 60
TEMPORARY = "-tmp-"
"""Stands in the names under which restic and we save before the object gets its own."""


def is_temporary_name(name: str) -> bool:
    """Whether a save goes on, or broke off, under that name."""
    final, mark, _ = name.partition(TEMPORARY)
    return bool(mark) and (final == FileKind.CONFIG.value or is_object_name(final))


def is_object_name(name: str) -> bool:
    """Whether a listed name can be a repository file: 64 lower-case hex digits."""
    return len(name) == 64 and all(c in "0123456789abcdef" for c in name)
