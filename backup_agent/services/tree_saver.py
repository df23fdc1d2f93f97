"""The walk of a backup: one pass over the source, its trees saved from the leaves up.

An entry whose metadata read as they do in the parent's tree is taken over
unread: a folder at a time for most, and for those that this cannot tell, found
by their names. Otherwise its content goes through slab, cuts and hash into the
writer, and its node is encoded anew. A stack of open folders replaces
recursion, for folders nest deeper than Python does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from backup_agent.chunking.content import ContentChunker
from backup_agent.errors import UnreadableError
from backup_agent.format import omissions as omission_list
from backup_agent.format.names import SURROGATE
from backup_agent.format.stored_tree import (
    StoredTree,
    is_unchanged,
    split_tree,
    stored_subtree,
    with_subtree,
)
from backup_agent.format.tree import encode_node, encode_tail, join_tree
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import Emit, ItemSkipped, Progress
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.model.omission import Omission
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.slab import SLAB_SIZE
from backup_agent.repository.writer import BlobWriter
from backup_agent.services.block_saver import save_blocks
from backup_agent.services.open_folder import OpenFolder, may_be_taken_over
from backup_agent.services.parent_point import ParentPoint
from backup_agent.sources.entry import BlockStream, ByteStream, Chunking, Entry, Source

_NEWS_SECONDS = 0.1
_FOLDER_MODE = go_mode(0o040755)[1]
_FILE_MODE = go_mode(0o100644)[1]


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
        self._writer = writer
        self._chunker = chunker
        self._parent = ParentPoint(reader, emit=emit)
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
        root = OpenFolder(None, self._source.roots(), self._parent.tree(parent))
        stack = [root]
        while True:
            folder = stack[-1]
            waiting = next(folder.waiting, None)
            if waiting is not None:
                self._cancel.raise_if_cancelled()
                self._visit(*waiting, folder, stack)
            elif len(stack) > 1:
                stack.pop()
                stack[-1].nodes[folder.place] = self._close_folder(folder)
            else:
                self._list_omissions(root)
                self._news(b"", at_once=True)
                return self._writer.save_tree(root.tree())

    def _visit(self, place: int, child: Entry, folder: OpenFolder, stack: list[OpenFolder]) -> None:
        if folder.entry is None and child.node.name == omission_list.FOLDER:
            self._omit(child.path, "Its name is the one Everboot keeps its own list under.", "scan")
            return
        stored = folder.nodes[place] or self._parent.find(folder.parent, child.node.name)
        folder.nodes[place] = None
        try:
            if child.kind is NodeKind.FOLDER:
                stack.append(self._open_folder(child, stored, place))
            elif child.kind is NodeKind.FILE:
                folder.nodes[place] = self._save_file(child, stored)
            else:
                folder.nodes[place] = self._save_other(child, stored)
        except UnreadableError as exc:
            during = "read" if child.kind is NodeKind.FILE else "scan"
            self._omit(child.path, exc.message, during)

    # Folders

    def _open_folder(self, entry: Entry, stored: bytes | None, place: int) -> OpenFolder:
        children = self._source.children(entry)
        self._news(entry.path)
        if stored is None:
            return OpenFolder(entry, children, StoredTree(), place=place)
        subtree = stored_subtree(stored)
        same = subtree is not None and is_unchanged(stored, entry.head())
        folder = OpenFolder(
            entry,
            children,
            self._parent.tree(subtree),
            stored=stored if same else None,
            place=place,
        )
        self._count_unmodified(folder.take_over(self._parent))
        return folder

    def _count_unmodified(self, files: Sequence[Entry]) -> None:
        self.counts.files_unmodified += len(files)
        self.counts.bytes += sum([file.size for file in files])

    def _close_folder(self, folder: OpenFolder) -> bytes:
        entry = folder.entry
        assert entry is not None
        subtree = self._save_tree(folder)
        if folder.stored is not None:
            node = with_subtree(folder.stored, subtree)
            if node == folder.stored:
                self.counts.dirs_unmodified += 1
            else:
                self.counts.dirs_changed += 1
            return node
        if folder.parent.data:
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

    def _save_tree(self, folder: OpenFolder) -> BlobId:
        if folder.unchanged:
            return folder.parent.id
        tree = folder.tree()
        # Whole trees are cheaper to compare than to hash.
        return folder.parent.id if tree == folder.parent.data else self._writer.save_tree(tree)

    # Files

    def _save_file(self, entry: Entry, stored: bytes | None) -> bytes:
        head = entry.head()
        if stored is not None and may_be_taken_over(entry):
            node = self._take_over_file(entry, head, stored)
            if node is not None:
                self.counts.files_unmodified += 1
                self.counts.bytes += entry.size
                return node
        complete = self._complete(entry)
        stream = self._source.open(entry)
        try:
            content, size = self._save_content(stream, entry)
            self._report_doubts(entry, stream)
        finally:
            stream.close()
        last_change_ns = self._last_change(stored, content, size)
        if stored is None:
            self.counts.files_new += 1
        elif entry.mtime_from_content and last_change_ns is not None:
            self.counts.files_unmodified += 1
        else:
            self.counts.files_changed += 1
        if entry.mtime_from_content:
            changed_ns = self._now_ns if last_change_ns is None else last_change_ns
            complete = msgspec.structs.replace(
                complete, mtime_ns=changed_ns, atime_ns=changed_ns, ctime_ns=changed_ns
            )
        return encode_node(msgspec.structs.replace(complete, size=size, content=content))

    def _take_over_file(self, entry: Entry, head: bytes, stored: bytes) -> bytes | None:
        """The node of a file that did not change, if all its blobs are there."""
        if is_unchanged(stored, head):
            return stored if self._parent.has_content(stored) else None
        # The same facts may be written differently: restic uses the local time zone.
        old, new = self._parent.decode(stored), entry.node
        same = (
            old is not None
            and old.kind is NodeKind.FILE
            and old.content is not None
            and (old.size, old.mtime_ns, old.ctime_ns, old.inode)
            == (new.size, new.mtime_ns, new.ctime_ns, new.inode)
        )
        if not same or old is None or old.content is None:
            return None
        if not self._parent.has_blobs(old.content):
            return None
        complete = self._complete(entry)
        return head + encode_tail(msgspec.structs.replace(complete, content=old.content))

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
        slab = writer.reserve(min(entry.size + 1, SLAB_SIZE))
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

    def _last_change(
        self, stored: bytes | None, content: tuple[BlobId, ...], size: int
    ) -> int | None:
        """When the stored file got the content it has now; ``None`` where it has another."""
        if stored is not None:
            old = self._parent.decode(stored)
            if old is not None and old.content == content and old.size == size:
                return old.mtime_ns
        return None

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
        if stored is not None and is_unchanged(stored, entry.head()):
            return stored
        return encode_node(self._complete(entry))

    def _omit(self, path: bytes, reason: str, during: str, ranges: tuple[Extent, ...] = ()) -> None:
        self.omissions.append(Omission(path, reason, during, ranges))
        self._emit(ItemSkipped(path.decode("utf-8", "backslashreplace"), reason, during))

    def _list_omissions(self, root: OpenFolder) -> None:
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
        root.nodes = [raw for _, raw in sorted([*split_tree(root.tree()), (folder.name, node)])]

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
