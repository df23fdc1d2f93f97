"""Sending a planned zip, or any span of its bytes.

What lies before a span is skipped, not read. Only checksums reach across: the directory at the end
has the CRC of every member. Those of what was sent before are remembered (:class:`Checksums`);
whoever remembers none reads what lies before once more, without sending it.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias, assert_never

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import TreePath
from backup_agent.services.zip_plan import InVolume, Member, ZipPlan
from backup_agent.targets.zip_layout import central_record, descriptor, end_records, local_header

_MARK_BYTES = 8 << 20
"""At most this is read twice where a transfer broke off in the middle of a file."""

_Part: TypeAlias = tuple[int, bytes]
"""Bytes of the zip, and where they stand in it."""


class UnreadableMemberError(UnreadableError):
    """A file inside a volume could not be read after all; plan without it."""

    def __init__(self, path: TreePath, cause: UnreadableError) -> None:
        super().__init__(cause.message, hint="Start the download again: it goes on without it.")
        self.path = path


class DamagedMemberError(IntegrityError):
    """A file's content is damaged or missing. Whoever wants the rest plans without it."""

    def __init__(self, path: TreePath, cause: IntegrityError) -> None:
        super().__init__(cause.message, hint=cause.hint)
        self.path = path


@dataclass(frozen=True, slots=True)
class Mark:
    """The checksum of a file's first ``position`` bytes; a blob ends there."""

    position: int
    crc: int


_START = Mark(0, 0)


class Checksums:
    """What is known of the checksums of a plan's members. Harmless for several threads: whatever
    they note at once is the same.
    """

    def __init__(self, plan: ZipPlan) -> None:
        self._whole = array("q", [-1]) * len(plan.members)
        self._marks: dict[int, list[Mark]] = {}
        for number, member in enumerate(plan.members):
            if member.entry.crc is not None:
                self._whole[number] = member.entry.crc

    def of(self, number: int) -> int | None:
        """The member's, once its content has gone by."""
        crc = self._whole[number]
        return None if crc < 0 else crc

    def nearest(self, number: int, position: int) -> Mark:
        """The last mark in the member's content up to that position."""
        marks = (mark for mark in self._marks.get(number, ()) if mark.position <= position)
        return max(marks, key=lambda mark: mark.position, default=_START)

    def note(self, number: int, position: int, crc: int) -> None:
        marks = self._marks.setdefault(number, [])
        if position - (marks[-1] if marks else _START).position >= _MARK_BYTES:
            marks.append(Mark(position, crc))

    def finish(self, number: int, crc: int) -> None:
        self._whole[number] = crc
        self._marks.pop(number, None)


def zip_span(
    plan: ZipPlan,
    reader: BlobReader,
    sums: Checksums,
    *,
    start: int = 0,
    end: int | None = None,
    cancel: CancelToken,
) -> Iterator[bytes]:
    """The zip's bytes from ``start`` to before ``end``; empty ones as a sign of life meanwhile.

    Raises ``DamagedMemberError`` at the first file that is damaged, missing or of another length,
    ``UnreadableMemberError``, ``JobCancelledError``, ``StorageError``. What was given by then is
    right, and lacks its end.
    """
    stop = plan.size if end is None else min(end, plan.size)
    sending = _Sending(plan, reader, sums, cancel)
    return _clipped(sending.parts(start, stop), start, stop)


def _clipped(parts: Iterator[_Part], start: int, stop: int) -> Iterator[bytes]:
    unsent = 0
    for offset, data in parts:
        if offset >= stop:
            return
        clipped = data[max(0, start - offset) : stop - offset]
        if clipped:
            yield clipped
            continue
        unsent += len(data)
        if unsent >= _MARK_BYTES:
            unsent = 0
            yield b""


@dataclass(slots=True)
class _Sending:
    plan: ZipPlan
    reader: BlobReader
    sums: Checksums
    cancel: CancelToken

    def parts(self, start: int, stop: int) -> Iterator[_Part]:
        """Everything from the member on in which the span starts; at its end, the directory."""
        members = self.plan.members
        if members and start < self.plan.directory_offset:
            numbers = range(self.plan.member_at(start), self.plan.member_at(stop - 1) + 1)
            first = self._begin(numbers[0], start)
            contents = _Contents(self, numbers, first)
            for number in numbers:
                member = members[number]
                yield member.offset, local_header(member.entry)
                for position, data in contents.of(number):
                    yield member.content_start + position, data
                yield member.content_end, self._descriptor(number)
        if stop > self.plan.directory_offset:
            yield from self._learn_the_rest()
            yield from self._directory()

    def _begin(self, number: int, start: int) -> Mark:
        """Where to begin in a member's content: just there if its checksum is known by now."""
        member = self.plan.members[number]
        position = min(max(0, start - member.content_start), member.entry.size)
        if self.sums.of(number) is not None:
            return Mark(position, 0)
        return self.sums.nearest(number, position)

    def _learn_the_rest(self) -> Iterator[_Part]:
        """Read what was never read here, for the checksums alone."""
        numbers = [n for n in range(len(self.plan.members)) if self.sums.of(n) is None]
        if not numbers:
            return
        begin = self.sums.nearest(numbers[0], self.plan.members[numbers[0]].entry.size)
        contents = _Contents(self, numbers, begin)
        for number in numbers:
            member = self.plan.members[number]
            for position, data in contents.of(number):
                yield member.content_start + position, data

    def _directory(self) -> Iterator[_Part]:
        position = self.plan.directory_offset
        for number, member in enumerate(self.plan.members):
            record = central_record(member.entry, self._known(number), member.offset)
            yield position, record
            position += len(record)
        size = position - self.plan.directory_offset
        count, offset = len(self.plan.members), self.plan.directory_offset
        yield position, end_records(count=count, offset=offset, size=size)

    def _descriptor(self, number: int) -> bytes:
        return descriptor(self.plan.members[number].entry, self._known(number))

    def _known(self, number: int) -> int:
        crc = self.sums.of(number)
        assert crc is not None, "its content has gone by"
        return crc


@dataclass(slots=True)
class _Contents:
    """The contents of members in their order, blobs read ahead across all of them.

    ``first``: where to begin in the first one.
    """

    _sending: _Sending
    _numbers: Sequence[int]
    _first: Mark
    _stream: Iterator[bytes | IntegrityError] = field(init=False)

    def __post_init__(self) -> None:
        self._stream = self._sending.reader.stream(self._blobs())

    def of(self, number: int) -> Iterator[_Part]:
        """(position in the content, bytes). To be asked for in order, and to the end of each.

        Raises ``DamagedMemberError``, also where it is not as long as the plan says.
        """
        try:
            yield from self._parts(number)
        except IntegrityError as exc:
            raise DamagedMemberError(self._member(number).path, exc) from exc

    def _parts(self, number: int) -> Iterator[_Part]:
        sending, member = self._sending, self._member(number)
        begin = self._begin(number)
        crc, skipped, chunks = begin.crc, *self._chunks(number)
        position = begin.position - skipped
        for data in chunks:
            sending.cancel.raise_if_cancelled()
            if position + len(data) > member.entry.size:
                raise _another_length(member)
            yield position, data
            position += len(data)
            if sending.sums.of(number) is None:
                crc = zlib.crc32(data, crc)
                sending.sums.note(number, position, crc)
        if position != member.entry.size:
            raise _another_length(member)
        if sending.sums.of(number) is None:
            sending.sums.finish(number, crc)

    def _chunks(self, number: int) -> tuple[int, Iterator[bytes]]:
        """The content from where it begins, and how much before that comes with it."""
        begin = self._begin(number)
        match self._member(number).content:
            case bytes() as data:
                return 0, iter([data[begin.position :]] if begin.position < len(data) else [])
            case tuple() as blobs:
                count, skipped = self._blobs_before(blobs, begin.position)
                return skipped, _whole(islice(self._stream, len(blobs) - count))
            case InVolume(path, inside):
                return 0, _readable(path, inside.pieces(begin.position))
            case other:
                assert_never(other)

    def _blobs(self) -> Iterator[BlobId]:
        for number in self._numbers:
            content = self._member(number).content
            if isinstance(content, tuple):
                count, _ = self._blobs_before(content, self._begin(number).position)
                yield from content[count:]

    def _blobs_before(self, blobs: tuple[BlobId, ...], position: int) -> tuple[int, int]:
        """How many end at or before a position, and how far the next begins before it."""
        before = 0
        for count, blob in enumerate(blobs if position else ()):
            length = self._sending.reader.length(blob)
            if before + length > position:
                return count, position - before
            before += length
        return (len(blobs), 0) if position else (0, 0)

    def _begin(self, number: int) -> Mark:
        return self._first if number == self._numbers[0] else _START

    def _member(self, number: int) -> Member:
        return self._sending.plan.members[number]


def _whole(content: Iterable[bytes | IntegrityError]) -> Iterator[bytes]:
    for piece in content:
        if isinstance(piece, IntegrityError):
            raise piece
        yield piece


def _readable(path: TreePath, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except UnreadableError as exc:
        raise UnreadableMemberError(path, exc) from exc


def _another_length(member: Member) -> IntegrityError:
    name = member.entry.name.decode()
    return IntegrityError(
        f"{name}: the content is not the {member.entry.size:,} bytes recorded for it.",
        hint="Run everboot check --read-data.",
    )
