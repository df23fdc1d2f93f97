"""A zip of known length: planned to the byte before anything of its contents is read.

The same selection of the same restore point gives the same bytes, so that whoever lost the
transfer in its middle asks for the rest (``zip_span`` sends it). For that the contents are stored,
not compressed, and what is in the way is found beforehand: what cannot be in the zip is left out
and named in a text of its own, ``Left out of this zip.txt``. What is called otherwise there, so
that any system extracts it, is named in ``Renamed in this zip.txt``.
"""

from __future__ import annotations

import hashlib
import stat
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import NodeKind
from backup_agent.services.browse import (
    Found,
    Inside,
    PointBrowser,
    TreePath,
    Unreachable,
    leads_to,
    outermost,
    show_path,
)
from backup_agent.targets.zip_fields import KIND_WORDS, LONGEST_NAME
from backup_agent.targets.zip_layout import Entry, central_record, end_records, local_header
from backup_agent.targets.zip_names import ArchiveNames

_LEFT_OUT_TEXT = b"Left out of this zip.txt"
_RENAMED_TEXT = b"Renamed in this zip.txt"
_FORMAT = b"everboot zip 2"
"""Whoever changes a byte of what is written below counts this up: transfers begun must not go on
with other bytes.
"""


@dataclass(frozen=True, slots=True)
class InVolume:
    """The content of a file inside a stored volume."""

    path: TreePath
    inside: Inside


Content: TypeAlias = bytes | tuple[BlobId, ...] | InVolume
"""Where a member's bytes come from: here they are, or blobs, or a volume's file system."""


@dataclass(frozen=True, slots=True)
class Member:
    """One thing in the zip, whose local header begins at ``offset``. ``path`` is where it stands
    in the restore point; empty for what the zip tells of itself.
    """

    path: TreePath
    entry: Entry
    offset: int
    content: Content

    @property
    def content_start(self) -> int:
        return self.offset + self.entry.header_length

    @property
    def content_end(self) -> int:
        return self.content_start + self.entry.size

    @property
    def end(self) -> int:
        return self.content_end + self.entry.descriptor_length


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was selected and is not in the zip."""

    path: TreePath
    reason: str


@dataclass(frozen=True, slots=True)
class ZipPlan:
    """``size`` bytes in all. ``tag``: who has the same one has a zip of the same bytes."""

    members: tuple[Member, ...]
    directory_offset: int
    size: int
    tag: str
    left_out: tuple[LeftOut, ...]

    def member_at(self, position: int) -> int:
        """The number of the member that has the zip's byte at that position; or of the last."""
        return max(0, bisect_right(self.members, position, key=lambda member: member.offset) - 1)


def plan_zip(
    browser: PointBrowser,
    selection: Sequence[TreePath],
    *,
    key: bytes,
    unreadable: Mapping[TreePath, str],
    cancel: CancelToken,
) -> ZipPlan:
    """Walk through what was selected, without reading any content.

    ``key`` (at most 64 bytes) keeps the tag from telling what is in the zip. ``unreadable`` are
    files that proved so when they were sent, and why: they are left out. Raises ``IntegrityError``
    for a folder that is damaged, ``NoSuchPointError``, ``JobCancelledError``, ``StorageError``.
    """
    planner = _Planner(browser, unreadable)
    for step in browser.walk(selection):
        cancel.raise_if_cancelled()
        match step:
            case Unreachable(path, UnreadableError() as error):
                planner.leave_out(path, error.message)
            case Unreachable(path, error):
                raise IntegrityError(f"{show_path(path)}: {error.message}", hint=error.hint)
            case Found(leaving=True):
                continue
            case Found():
                planner.add(step)
    planner.name_what_the_point_lacks(outermost(selection))
    return planner.plan(key)


@dataclass(slots=True)
class _Planner:
    _browser: PointBrowser
    _unreadable: Mapping[TreePath, str]
    _names: ArchiveNames = field(default_factory=lambda: ArchiveNames(for_any_system=True))
    _members: list[Member] = field(default_factory=list)
    _left_out: list[LeftOut] = field(default_factory=list)
    _offset: int = 0

    def add(self, found: Found) -> None:
        node, path = found.node, found.path
        if problem := self._problem(found):
            self.leave_out(path, problem)
            return
        match node.kind:
            case NodeKind.FOLDER:
                self._append(found, self._names.folder(path), b"")
            case NodeKind.SYMLINK:
                self._append(found, self._names.entry(path), node.link_target)
            case NodeKind.FILE if not node.size:
                self._append(found, self._names.entry(path), b"")
            case NodeKind.FILE if found.inside is not None:
                self._append(found, self._names.entry(path), InVolume(path, found.inside))
            case NodeKind.FILE:
                self._append(found, self._names.entry(path), tuple(node.content or ()))
            case NodeKind.SOCKET:
                # It is missing nowhere: only the program that listens can make it.
                return
            case _:
                self.leave_out(path, f"a zip cannot hold a {KIND_WORDS[node.kind]}")

    def leave_out(self, path: TreePath, reason: str) -> None:
        self._left_out.append(LeftOut(path, reason))

    def name_what_the_point_lacks(self, wanted: Sequence[TreePath]) -> None:
        """What was not in the restore point to begin with, as far as it was selected."""
        for omission in self._browser.omissions():
            path = tuple(part for part in omission.path.split(b"/") if part)
            if omission.during != "change" and leads_to(path, wanted or [()]):
                self.leave_out(path, omission.reason)

    def plan(self, key: bytes) -> ZipPlan:
        if self._names.changed:
            self._append_text(
                _RENAMED_TEXT,
                "These have other names in the zip, which every system takes and tells apart:",
                [f"{show_path(path)}: {name}" for path, name in self._names.changed.items()],
            )
        if self._left_out:
            self._append_text(
                _LEFT_OUT_TEXT,
                "These were selected, and are not in the zip:",
                [f"{show_path(each.path)}: {each.reason}" for each in self._left_out],
            )
        snapshot = self._browser.snapshot
        state = hashlib.blake2b(_FORMAT + snapshot.id.encode(), key=key, digest_size=16)
        directory = 0
        for member in self._members:
            entry = member.entry
            # The restore point says what the contents are.
            state.update(local_header(entry))
            state.update(entry.mode.to_bytes(4, "big") + entry.size.to_bytes(8, "big"))
            directory += len(central_record(entry, 0, member.offset))
        end = end_records(count=len(self._members), offset=self._offset, size=directory)
        return ZipPlan(
            members=tuple(self._members),
            directory_offset=self._offset,
            size=self._offset + directory + len(end),
            tag=state.hexdigest(),
            left_out=tuple(self._left_out),
        )

    def _problem(self, found: Found) -> str:
        if found.inside is not None and found.inside.problem:
            return found.inside.problem
        return self._unreadable.get(found.path, "")

    def _append(self, found: Found, name: str, content: Content) -> None:
        node = found.node
        if len(name.encode()) > LONGEST_NAME:
            self.leave_out(found.path, "its path is too long for a zip")
            return
        seconds = node.mtime_ns // 1_000_000_000
        self._place(found.path, name.encode(), node.st_mode, seconds, node.size, content)

    def _append_text(self, title: bytes, heading: str, lines: Sequence[str]) -> None:
        text = "".join(f"{line}\r\n" for line in (heading, "", *lines)).encode()
        name = self._names.entry((title,)).encode()
        made_at = int(self._browser.snapshot.time.timestamp())
        self._place((), name, stat.S_IFREG | 0o644, made_at, len(text), text)

    def _place(
        self, path: TreePath, name: bytes, mode: int, seconds: int, size: int, content: Content
    ) -> None:
        crc = None
        if isinstance(content, bytes):
            size, crc = len(content), zlib.crc32(content)
        member = Member(path, Entry(name, mode, seconds, size, crc), self._offset, content)
        self._members.append(member)
        self._offset = member.end
