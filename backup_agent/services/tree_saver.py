"""The walk of a backup: one pass over the source, its trees saved from the leaves up.

An entry whose metadata read as they do in the parent's tree is taken over
unread. Otherwise its content goes through slab, cuts and hash into the writer,
and its node is encoded anew. A stack of open folders replaces recursion, for
folders nest deeper than Python does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from backup_agent.chunking.content import ContentChunker
from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.format import omissions as omission_list
from backup_agent.format.names import SURROGATE
from backup_agent.format.tree import (
    content_ids,
    decode_node,
    encode_head,
    encode_node,
    encode_tail,
    is_unchanged,
    join_tree,
    split_tree,
    stored_subtree,
    with_subtree,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import Emit, ItemSkipped, Notice, Progress
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.model.omission import Omission
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.slab import SLAB_SIZE
from backup_agent.repository.writer import BlobWriter
from backup_agent.services.block_saver import save_blocks
from backup_agent.sources.entry import BlockStream, ByteStream, Chunking, Entry, Source

_NEWS_SECONDS = 0.1
_FOLDER_MODE = go_mode(0o040755)[1]
_FILE_MODE = go_mode(0o100644)[1]


class _OpenFolder:
    """A folder whose children are being saved. ``stored``: its node in the parent, if unchanged."""

    __slots__ = ("children", "entry", "nodes", "parent", "stored")

    def __init__(
        self,
        entry: Entry | None,
        children: Iterator[Entry],
        parent: dict[bytes, bytes],
        stored: bytes | None,
    ) -> None:
        self.entry = entry
        self.children = children
        self.parent = parent
        self.stored = stored
        self.nodes: list[bytes] = []


@dataclass(slots=True)
class WalkCounts:
    """Files and folders against the parent's, and the bytes of all files."""

    files_new: int = 0
    files_changed: int = 0
    files_unmodified: int = 0
    dirs_new: int = 0
    dirs_changed: int = 0
    dirs_unmodified: int = 0
    bytes: int = 0

    @property
    def files(self) -> int:
        return self.files_new + self.files_changed + self.files_unmodified


class TreeSaver:
    """Saves one source once. ``counts`` and ``omissions`` tell what happened."""

    def __init__(
        self,
        source: Source,
        reader: BlobReader,
        writer: BlobWriter,
        chunker: ContentChunker,
        *,
        now: datetime,
        emit: Emit,
        cancel: CancelToken,
    ) -> None:
        self._source = source
        self._reader = reader
        self._writer = writer
        self._chunker = chunker
        self._known = reader.data_blobs
        self._now_ns = int(now.timestamp() * 1_000_000) * 1000
        self._emit = emit
        self._cancel = cancel
        self.counts = WalkCounts()
        self.omissions: list[Omission] = []
        self._files_expected = self._bytes_expected = 0
        self._next_news = 0.0

    def expect(self, files: int, size: int) -> None:
        """What the run before found: the best guess at how much there is to do."""
        self._files_expected = files
        self._bytes_expected = size

    def save(self, parent: BlobId | None) -> BlobId:
        """Walk the source and save everything; returns the root tree."""
        root = _OpenFolder(None, iter(self._source.roots()), self._stored_nodes(parent), None)
        stack = [root]
        while True:
            folder = stack[-1]
            child = next(folder.children, None)
            if child is not None:
                self._cancel.raise_if_cancelled()
                self._visit(child, folder, stack)
            elif len(stack) > 1:
                stack.pop()
                stack[-1].nodes.append(self._close_folder(folder))
            else:
                self._list_omissions(root)
                self._news(b"", at_once=True)
                return self._writer.save_tree(join_tree(root.nodes))

    def _visit(self, child: Entry, folder: _OpenFolder, stack: list[_OpenFolder]) -> None:
        if folder.entry is None and child.node.name == omission_list.FOLDER:
            self._omit(child.path, "Its name is the one Everboot keeps its own list under.", "scan")
            return
        stored = folder.parent.get(child.node.name)
        try:
            if child.node.kind is NodeKind.FOLDER:
                stack.append(self._open_folder(child, stored))
            elif child.node.kind is NodeKind.FILE:
                folder.nodes.append(self._save_file(child, stored))
            else:
                folder.nodes.append(self._save_other(child, stored))
        except UnreadableError as exc:
            during = "read" if child.node.kind is NodeKind.FILE else "scan"
            self._omit(child.path, exc.message, during)

    # Folders

    def _open_folder(self, entry: Entry, stored: bytes | None) -> _OpenFolder:
        children = iter(self._source.children(entry))
        self._news(entry.path)
        if stored is None:
            return _OpenFolder(entry, children, {}, None)
        subtree = stored_subtree(stored)
        same = subtree is not None and is_unchanged(stored, encode_head(entry.node))
        return _OpenFolder(entry, children, self._stored_nodes(subtree), stored if same else None)

    def _close_folder(self, folder: _OpenFolder) -> bytes:
        entry = folder.entry
        assert entry is not None
        subtree = self._writer.save_tree(join_tree(folder.nodes))
        if folder.stored is not None:
            node = with_subtree(folder.stored, subtree)
            if node == folder.stored:
                self.counts.dirs_unmodified += 1
            else:
                self.counts.dirs_changed += 1
            return node
        if folder.parent:
            self.counts.dirs_changed += 1
        else:
            self.counts.dirs_new += 1
        try:
            complete = self._complete(entry)
        except UnreadableError as exc:
            # Its children are saved: losing them for want of an attribute would be worse.
            self._omit(entry.path, exc.message, "change")
            complete = _never_matching(entry.node)
        return encode_node(msgspec.structs.replace(complete, subtree=subtree))

    def _stored_nodes(self, tree: BlobId | None) -> dict[bytes, bytes]:
        """The parent's nodes by name; a damaged parent only costs reading the files again."""
        if tree is None:
            return {}
        try:
            return dict(split_tree(self._reader.load_tree_bytes(tree)))
        except IntegrityError as exc:
            self._emit(Notice(f"The earlier restore point is damaged: {exc.message}"))
            return {}

    def _decode_stored(self, stored: bytes) -> Node | None:
        """A node of the parent; one that is damaged counts as none."""
        try:
            return decode_node(stored)
        except IntegrityError as exc:
            self._emit(Notice(f"The earlier restore point is damaged: {exc.message}"))
            return None

    # Files

    def _save_file(self, entry: Entry, stored: bytes | None) -> bytes:
        head = encode_head(entry.node)
        if stored is not None and not entry.mtime_from_content:
            node = self._take_over(entry, head, stored)
            if node is not None:
                self.counts.files_unmodified += 1
                self.counts.bytes += entry.node.size
                self._news(entry.path)
                return node
        complete = self._complete(entry)
        stream = self._source.open(entry)
        try:
            content, size = self._save_content(stream, entry)
            self._report_doubts(entry, stream)
        finally:
            stream.close()
        if stored is None:
            self.counts.files_new += 1
        else:
            self.counts.files_changed += 1
        if entry.mtime_from_content:
            changed_ns = self._last_change(stored, content, size)
            complete = msgspec.structs.replace(
                complete, mtime_ns=changed_ns, atime_ns=changed_ns, ctime_ns=changed_ns
            )
        return encode_node(msgspec.structs.replace(complete, size=size, content=content))

    def _take_over(self, entry: Entry, head: bytes, stored: bytes) -> bytes | None:
        """The node of a file that did not change, if all its blobs are there."""
        if is_unchanged(stored, head):
            content = content_ids(stored)
            return stored if content is not None and self._has_all(content) else None
        # The same facts may be written differently: restic uses the local time zone.
        old, new = self._decode_stored(stored), entry.node
        same = (
            old is not None
            and old.kind is NodeKind.FILE
            and old.content is not None
            and (old.size, old.mtime_ns, old.ctime_ns, old.inode)
            == (new.size, new.mtime_ns, new.ctime_ns, new.inode)
        )
        if not same or old is None or old.content is None or not self._has_all(old.content):
            return None
        complete = self._complete(entry)
        return head + encode_tail(msgspec.structs.replace(complete, content=old.content))

    def _has_all(self, blobs: tuple[BlobId, ...]) -> bool:
        known = self._known
        for blob in blobs:  # noqa: SIM110 - a generator would cost more than what it asks
            if blob not in known:
                return False
        return True

    def _save_content(self, stream: ByteStream, entry: Entry) -> tuple[tuple[BlobId, ...], int]:
        """Cut the stream into blobs and save them; returns their ids and the stream's length."""
        if stream.chunking is Chunking.FIXED:
            assert isinstance(stream, BlockStream)
            return self._save_blocks(stream, entry)
        cut = self._chunker.cut
        writer = self._writer
        content: list[BlobId] = []
        size = 0
        # One byte more than expected, so that the end of the file is seen in the first read.
        slab = writer.reserve(min(entry.node.size + 1, SLAB_SIZE))
        position = filled = slab.used
        while True:
            room = len(slab.view) - filled
            got = stream.readinto(slab.view[filled:])
            filled += got
            size += got
            self.counts.bytes += got
            last = got < room
            for length in cut(slab.view[position:filled], last=last):
                content.append(writer.add(slab, position, position + length))
                position += length
            self._news(entry.path)
            if last:
                return tuple(content), size
            self._cancel.raise_if_cancelled()
            slab, filled = writer.move_on(slab, position, filled)
            position = 0

    def _save_blocks(self, stream: BlockStream, entry: Entry) -> tuple[tuple[BlobId, ...], int]:
        before = self.counts.bytes

        def went_on(size: int) -> None:
            self.counts.bytes += size
            self._news(entry.path)
            self._cancel.raise_if_cancelled()

        content = save_blocks(stream, self._writer, went_on=went_on)
        return content, self.counts.bytes - before

    def _report_doubts(self, entry: Entry, stream: ByteStream) -> None:
        if change := stream.changed():
            self._omit(entry.path, change, "change")
        if ranges := tuple(stream.unreadable()):
            size = sum(extent.size for extent in ranges)
            reason = f"{size} bytes could not be read; zeros stand in their place."
            if isinstance(stream, BlockStream):
                reason += f" {stream.damage()}"
            self._omit(entry.path, reason, "read", ranges)

    def _last_change(self, stored: bytes | None, content: tuple[BlobId, ...], size: int) -> int:
        if stored is not None:
            old = self._decode_stored(stored)
            if old is not None and old.content == content and old.size == size:
                return old.mtime_ns
        return self._now_ns

    # The rest

    def _complete(self, entry: Entry) -> Node:
        """All metadata, as far as the format can hold them; what it cannot is reported."""
        node = self._source.complete(entry)
        kept = tuple(xattr for xattr in node.xattrs if not SURROGATE.search(xattr.name))
        if len(kept) == len(node.xattrs):
            return node
        reason = "It has an attribute whose name is no UTF-8; that one could not be stored."
        self._omit(entry.path, reason, "change")
        return _never_matching(msgspec.structs.replace(node, xattrs=kept))

    def _save_other(self, entry: Entry, stored: bytes | None) -> bytes:
        if stored is not None and is_unchanged(stored, encode_head(entry.node)):
            return stored
        return encode_node(self._complete(entry))

    def _omit(self, path: bytes, reason: str, during: str, ranges: tuple[Extent, ...] = ()) -> None:
        self.omissions.append(Omission(path, reason, during, ranges))
        self._emit(ItemSkipped(path.decode("utf-8", "backslashreplace"), reason, during))

    def _list_omissions(self, root: _OpenFolder) -> None:
        """Put the list of what is missing into the tree itself, where it cannot get lost."""
        if not self.omissions:
            return
        data = omission_list.encode_omissions(self.omissions)
        content: list[BlobId] = []
        for start in range(0, len(data), SLAB_SIZE):
            piece = data[start : start + SLAB_SIZE]
            slab = self._writer.reserve(len(piece))
            begin = slab.used
            slab.view[begin : begin + len(piece)] = piece
            content.append(self._writer.add(slab, begin, begin + len(piece)))
        file = self._own_node(omission_list.FILE, NodeKind.FILE, _FILE_MODE)
        file = msgspec.structs.replace(file, size=len(data), content=tuple(content))
        subtree = self._writer.save_tree(join_tree([encode_node(file)]))
        folder = self._own_node(omission_list.FOLDER, NodeKind.FOLDER, _FOLDER_MODE)
        node = encode_node(msgspec.structs.replace(folder, subtree=subtree))
        root.nodes = [
            raw for _, raw in sorted([*split_tree(join_tree(root.nodes)), (folder.name, node)])
        ]

    def _own_node(self, name: bytes, kind: NodeKind, mode: int) -> Node:
        now = self._now_ns
        return Node(name=name, kind=kind, mode=mode, mtime_ns=now, atime_ns=now, ctime_ns=now)

    def _news(self, path: bytes, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if now < self._next_news and not at_once:
            return
        self._next_news = now + _NEWS_SECONDS
        self._emit(
            Progress(
                phase="backup",
                files_done=self.counts.files,
                files_total=self._files_expected,
                bytes_done=self.counts.bytes,
                bytes_total=self._bytes_expected,
                current=path.decode("utf-8", "backslashreplace"),
            )
        )


def _never_matching(node: Node) -> Node:
    """A node that the next run will not take over: it has to look at the item again."""
    return msgspec.structs.replace(node, ctime_ns=0)
