"""Raw objects of one vault, for the console's gateway: it guards what it cannot read.

A vault is one repository at a place, and beside it, outside the repository's names, small
records of what was hidden there (``docs/vaults.md``)::

    <place>/<vault>/repository/   config, keys/, locks/, snapshots/, index/, data/
    <place>/<vault>/marks/        index/<64 hex digits>

All methods block, and may be called from several threads at once. They raise ``StorageError``
and its children.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from backup_agent.errors import ObjectNotFoundError, StorageError
from backup_agent.storage.addresses import StorageOptions, masked, open_backend, open_direct_reads
from backup_agent.storage.backend import (
    CONFIG,
    Backend,
    FileKind,
    ObjectInfo,
    ObjectKey,
    is_object_name,
)
from backup_agent.storage.direct import DirectReads
from backup_agent.storage.egress import EgressPolicy, Network, confined

__all__ = [
    "CONFIG",
    "EgressPolicy",
    "FileKind",
    "Network",
    "ObjectInfo",
    "ObjectKey",
    "Place",
    "VaultStore",
    "is_object_name",
    "masked",
    "try_place",
]

PIECE_BYTES = 1 << 20
"""What is held in memory of an object that is being read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where storage is and how to log in there: an address and the variables it asks for.

    Without ``egress`` connections may lead anywhere.
    """

    address: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    egress: EgressPolicy | None = None

    def below(self, *names: str) -> Place:
        """A place within this one."""
        return replace(self, address="/".join((self.address.removesuffix("/"), *names)))

    @property
    def _options(self) -> StorageOptions:
        return StorageOptions(egress=self.egress)

    def open(self) -> Backend:
        """Raises ``UsageError`` for an address that makes no sense. Nothing is contacted yet."""
        return open_backend(self.address, self.environment, self._options)

    def open_direct_reads(self) -> DirectReads | None:
        return open_direct_reads(self.address, self.environment, self._options)


class VaultStore:
    """One vault at a place."""

    def __init__(self, place: Place, vault: str) -> None:
        home = place.below(vault)
        self._repository_place = home.below("repository")
        self._egress = place.egress
        self._objects = self._repository_place.open()
        self._marks = home.below("marks").open()
        self._direct: DirectReads | None = None

    def prepare(self) -> None:
        """Make folders, container or bucket. Idempotent."""
        self._objects.prepare()
        self._marks.prepare()

    def size(self, key: ObjectKey) -> int | None:
        """Bytes, or None for an object that is not there."""
        return _size(self._objects, key)

    def read(self, key: ObjectKey, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` to before ``end``, in pieces of at most ``PIECE_BYTES``."""
        while start < end:
            length = min(PIECE_BYTES, end - start)
            yield self._objects.load(key, start, length)
            start += length

    def write(self, key: ObjectKey, spool: BinaryIO) -> None:
        """Store all that the file holds: wholly, or not at all."""
        spool.seek(0)
        self._objects.save(key, spool.read())

    def remove(self, key: ObjectKey) -> None:
        self._objects.remove(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        """Objects of a kind; the config, which no place lists, too."""
        if kind is FileKind.CONFIG:
            size = self.size(CONFIG)
            return iter(() if size is None else (ObjectInfo(CONFIG.name, size),))
        return self._objects.list(kind)

    def read_address(self, key: ObjectKey, *, seconds: int) -> str | None:
        """A URL to read the object from for a while; None where the place has none to give."""
        if self._direct is None:
            self._direct = self._repository_place.open_direct_reads()
        if self._direct is None:
            return None
        if self._egress is None:
            return self._direct.read_address(key, seconds=seconds)
        # Swift is asked for the container's key.
        with confined(self._egress, self._objects.location):
            return self._direct.read_address(key, seconds=seconds)

    def save_mark(self, name: str, record: bytes) -> None:
        self._marks.save(ObjectKey(FileKind.INDEX, name), record)

    def has_mark(self, name: str) -> bool:
        return _size(self._marks, ObjectKey(FileKind.INDEX, name)) is not None

    def remove_mark(self, name: str) -> None:
        self._marks.remove(ObjectKey(FileKind.INDEX, name))

    def marks(self) -> Iterator[tuple[str, bytes]]:
        """Every record under its name; those that vanish meanwhile are left out."""
        for info in list(self._marks.list(FileKind.INDEX)):
            try:
                yield info.name, self._marks.load(ObjectKey(FileKind.INDEX, info.name))
            except ObjectNotFoundError:
                continue

    def close(self) -> None:
        self._objects.close()
        self._marks.close()
        if self._direct is not None:
            self._direct.close()


def try_place(place: Place) -> None:
    """Write a few bytes at the place, read them, list them and take them away again.

    Raises ``StorageError`` or ``UsageError`` for the first of it that does not work.
    """
    backend = place.below("connection-test").open()
    probe = b"everboot connection test\n"
    key = ObjectKey(FileKind.KEY, hashlib.sha256(probe).hexdigest())
    try:
        backend.prepare()
        backend.save(key, probe)
        if backend.load(key) != probe:
            raise StorageError(
                f"{backend.location} gives back other bytes than it was given.",
                hint="Do not keep backups there before its owner has found out why.",
            )
        # Listings may lag; that one can be had at all is what counts.
        list(backend.list(FileKind.KEY))
        backend.remove(key)
    finally:
        backend.close()


def _size(backend: Backend, key: ObjectKey) -> int | None:
    try:
        return backend.size(key)
    except ObjectNotFoundError:
        return None
