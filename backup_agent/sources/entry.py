"""What a source offers the backup service: entries in a tree, and bytes for files."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol, runtime_checkable

from backup_agent.model.disk import Extent
from backup_agent.model.node import Node, NodeKind


class Chunking(Enum):
    """How a stream is cut into blobs."""

    CONTENT = "content"
    """Where the content says (files)."""
    FIXED = "fixed"
    """Every MiB from the stream's start, zero stretches as two 512 KiB blobs (volumes)."""


class Entry(Protocol):
    """One thing to be stored."""

    @property
    def node(self) -> Node:
        """Its metadata, without ``content`` and ``subtree`` and, where reading those costs
        a call, without ``xattrs`` and ``link_target`` (see :meth:`Source.complete`).
        """
        ...

    @property
    def kind(self) -> NodeKind:
        """Its node's."""
        ...

    @property
    def size(self) -> int:
        """Its node's; asked of files only."""
        ...

    def head(self) -> bytes:
        """How its node begins where it is stored: ``format.tree.encode_head(entry.node)``.

        This is asked of every entry, the node only of those that changed.
        """
        ...

    @property
    def path(self) -> bytes:
        """Where it stands in the source, for messages and for the list of omissions."""
        ...

    @property
    def mtime_from_content(self) -> bool:
        """Whether the source knows no time of change, so that the content must tell it.

        Such a file is always read, never taken from the parent by its
        metadata. Its ``mtime_ns`` is a placeholder: the backup service stores
        the parent's where size and content ids are the parent's, and the
        restore point's own time otherwise.
        """
        ...


class ByteStream(Protocol):
    """The content of one file, read once from start to end."""

    @property
    def chunking(self) -> Chunking: ...

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer as far as possible; 0 at the end.

        Raises :class:`~backup_agent.errors.UnreadableError`.
        """
        ...

    def changed(self) -> str:
        """Asked after the last read: why what was read may not be the truth, or empty.

        The file was seen to change meanwhile, or tells of what was not understood.
        """
        ...

    def unreadable(self) -> Sequence[Extent]:
        """Asked after the last read: which bytes of the stream could not be read.

        Zeros were given in their place; each range is listed as an omission,
        and the restore point is incomplete. Sorted; starts count from the
        stream's start. Empty for streams that raise instead.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class BlockStream(ByteStream, Protocol):
    """A stream with :attr:`Chunking.FIXED`, much of which need not be read to be known."""

    def skip_zeros(self) -> int:
        """Pass over whole MiB that are zeros by what is known without reading; how many bytes."""
        ...

    def readinto(self, buffer: memoryview) -> int:
        """Fill whole MiB of the buffer, fewer before some that can be skipped; 0 at the end.

        Only the stream's last piece may be shorter. Raises as the other does.
        """
        ...

    def damage(self) -> str:
        """In words, where on the disk that lies which is ``unreadable``, and which files it hits.

        Empty if nothing is.
        """
        ...


class Source(Protocol):
    """A tree of entries, walked from its roots by the backup service.

    The methods that take an entry get one that this source gave. Each raises
    :class:`~backup_agent.errors.UnreadableError` for what it cannot read: that
    item is left out (a folder's children too), reported, and the run goes on.
    """

    @property
    def paths(self) -> tuple[str, ...]:
        """What the restore point says it holds (its ``paths``)."""
        ...

    @property
    def left_out(self) -> tuple[str, ...]:
        """Paths in the stored tree of what is left out on purpose (the snapshot's ``excludes``)."""
        ...

    def roots(self) -> Sequence[Entry]:
        """The entries at the top of the stored tree, sorted by name."""
        ...

    def children(self, folder: Entry) -> Sequence[Entry]:
        """What stands in a folder, sorted by the raw bytes of the names."""
        ...

    def complete(self, entry: Entry) -> Node:
        """The entry's node with all its metadata; called only where the parent's cannot serve."""
        ...

    def open(self, file: Entry) -> ByteStream: ...
