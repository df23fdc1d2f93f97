"""What every reader of a file system offers: folders and files, found by reference.

A reference is the file system's own number for a thing: NTFS's file reference,
ext's inode, or where a FAT's directory entry lies. Nothing is found by the text
of a path, because names that differ only in case, or in nothing a person could
see, are different things all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol

import msgspec

from backup_agent.model.disk import Extent
from backup_agent.model.node import Node

Reference = NewType("Reference", int)


class Stream(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A named stream of bytes beside a thing's content (NTFS). ``size`` in bytes."""

    name: bytes
    size: int


# A msgspec.Struct like Node: a folder of 100,000 makes as many, and sends them to another process.
class TreeItem(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """One name in a folder and the thing it stands for.

    ``node`` has no ``content`` and no ``subtree``; its inode is 0 where the
    file system has none that says which names are the same file. Names that were
    UTF-16 are UTF-8 here, with lone surrogates encoded like characters.
    ``problem`` says why the content cannot be had; reading it fails with these words.
    ``is_left_out``: for that reason alone that the backup did not store it.
    """

    reference: Reference
    node: Node
    streams: tuple[Stream, ...] = ()
    problem: str = ""
    is_left_out: bool = False


class FileTree(Protocol):
    """A volume's folders and files. For one thread.

    Everything raises :class:`~backup_agent.errors.UnreadableError` for what the
    file system does not give (damaged, encrypted, left out of the backup), and
    what reading the volume's bytes raises.
    """

    @property
    def root(self) -> Reference: ...

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        """What stands in it, in the file system's order; links are listed and never followed.

        An entry that is damaged is listed with its ``problem``.
        """
        ...

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        """What has exactly that name in a folder, as a listing has it, for far fewer reads."""
        ...

    def item(self, reference: Reference) -> TreeItem:
        """The thing itself; its name is empty where the file system keeps it elsewhere."""
        ...

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        """Bytes of a file's content, or of a stream of it: fewer than ``size`` only at the end."""
        ...


class MappedTree(FileTree, Protocol):
    """A file tree that tells where on its volume contents lie, too."""

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        """Where on the volume the content lies, in the file's order; holes are passed over.

        None for content that lies among the file system's own records.
        """
        ...
