"""What passes between a reader of file systems, in a process of its own, and its host.

The host sends one request and gets one answer to it. In between the reader may ask for
bytes of the volume any number of times; each :class:`Wanted` is answered by the bytes
themselves, or by none where the host cannot give them.
Messages are MessagePack; how they are told apart is the pipe's business.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.model.disk import Extent, FileSystemKind


class OpenVolume(msgspec.Struct, frozen=True, tag="open"):
    """Comes first, and once. ``owner``: whom files belong to where the file system has no owners.

    ``unreadable`` are bytes of the volume that the backup could not read,
    ``left_out`` paths of files it did not store.
    """

    kind: FileSystemKind
    size: int
    unreadable: tuple[Extent, ...]
    left_out: tuple[str, ...]
    owner: tuple[int, int]


class ListFolder(msgspec.Struct, frozen=True, tag="list"):
    folder: Reference


class LookUp(msgspec.Struct, frozen=True, tag="look"):
    """Answered by one item, or none of that name."""

    folder: Reference
    name: bytes


class GetItem(msgspec.Struct, frozen=True, tag="item"):
    reference: Reference


class ReadFile(msgspec.Struct, frozen=True, tag="read"):
    file: Reference
    offset: int
    size: int
    stream: bytes | None


class FindHits(msgspec.Struct, frozen=True, tag="hits"):
    """Asks which files lie in those bytes of the volume."""

    extents: tuple[Extent, ...]


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    root: Reference


class Items(msgspec.Struct, frozen=True, tag="items"):
    items: tuple[TreeItem, ...]


class Paths(msgspec.Struct, frozen=True, tag="paths"):
    paths: tuple[bytes, ...]


class Data(msgspec.Struct, frozen=True, tag="data"):
    data: bytes


class Wanted(msgspec.Struct, frozen=True, tag="wanted"):
    """Bytes of the volume that the reader needs to go on."""

    offset: int
    size: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The request ends here; the next one may well succeed."""

    message: str
    hint: str = ""


Request: TypeAlias = OpenVolume | ListFolder | LookUp | GetItem | ReadFile | FindHits
Answer: TypeAlias = Opened | Items | Data | Paths | Failed
FromReader: TypeAlias = Answer | Wanted
