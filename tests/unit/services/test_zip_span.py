"""Zips of known length, and any span of their bytes."""

from __future__ import annotations

import io
import os
import random
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError, JobCancelledError, UnreadableError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import Found, PointBrowser, TreePath, parse_path
from backup_agent.services.zip_plan import InVolume, ZipPlan, plan_zip
from backup_agent.services.zip_span import (
    Checksums,
    DamagedMemberError,
    UnreadableMemberError,
    zip_span,
)
from backup_agent.targets.zip_layout import (
    Entry,
    central_record,
    descriptor,
    end_records,
    local_header,
)
from tests.points import back_up, new_repository, reopen

KEY = b"k"
GIB = 1 << 30


class CountingReader(BlobReader):
    """Knows what it was asked for."""

    asked: list[BlobId]

    def __enter__(self) -> CountingReader:
        self.asked = []
        return self

    def stream(self, blobs: Iterable[BlobId]) -> Iterator[bytes | IntegrityError]:
        def counted() -> Iterator[BlobId]:
            for blob in blobs:
                self.asked.append(blob)
                yield blob

        return super().stream(counted())


@dataclass
class Case:
    """A restore point, and one selection of it."""

    browser: PointBrowser
    reader: CountingReader
    selection: Sequence[TreePath] = ()
    unreadable: dict[TreePath, str] = field(default_factory=dict)

    def plan(self) -> ZipPlan:
        return plan_zip(
            self.browser,
            self.selection,
            key=KEY,
            unreadable=self.unreadable,
            cancel=CancelToken(),
        )

    def span(
        self, plan: ZipPlan, sums: Checksums | None = None, start: int = 0, end: int | None = None
    ) -> bytes:
        self.reader.asked = []
        known = sums or Checksums(plan)
        return b"".join(
            zip_span(plan, self.reader, known, start=start, end=end, cancel=CancelToken())
        )


@contextmanager
def case(source: Path) -> Iterator[Case]:
    repository = new_repository()
    point = back_up(repository, source).snapshot
    fresh = reopen(repository.backend)
    fresh.load_index()
    with CountingReader(fresh) as reader:
        yield Case(PointBrowser(reader, point), reader, [parse_path(str(source))])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("zip") / "source"
    (source / "empty folder").mkdir(parents=True)
    (source / "large.bin").write_bytes(random.Random(5).randbytes(12 << 20))
    (source / "empty").touch()
    (source / "note.txt").write_text("Grüße")
    (source / "z.bin").write_bytes(random.Random(6).randbytes(3 << 20))
    os.symlink("note.txt", source / "link")
    return source


@pytest.fixture(scope="module")
def stored(source: Path) -> Iterator[Case]:
    with case(source) as found:
        yield found


def test_the_length_is_known_before_anything_is_read(stored: Case) -> None:
    stored.reader.asked = []
    plan = stored.plan()
    assert stored.reader.asked == []
    assert len(stored.span(plan)) == plan.size


def test_other_programs_find_the_zip_whole_and_every_file_in_it(
    stored: Case, source: Path, tmp_path: Path
) -> None:
    file = tmp_path / "some.zip"
    file.write_bytes(stored.span(stored.plan()))

    for command in (["7z", "t", str(file)], ["unzip", "-tq", str(file)]):
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    into = tmp_path / "into"
    subprocess.run(["unzip", "-q", str(file), "-d", str(into)], check=True)
    back = into.joinpath(*source.parts[1:])
    assert sorted(p.name for p in back.iterdir()) == sorted(p.name for p in source.iterdir())
    for name in ("large.bin", "note.txt", "empty", "z.bin"):
        assert (back / name).read_bytes() == (source / name).read_bytes()
        assert int((back / name).stat().st_mtime) == int((source / name).stat().st_mtime)
    assert os.readlink(back / "link") == "note.txt"


def test_the_same_selection_has_the_same_tag_and_another_one_another(stored: Case) -> None:
    fewer = Case(stored.browser, stored.reader, [(*stored.selection[0], b"note.txt")])
    assert stored.plan().tag == stored.plan().tag != fewer.plan().tag


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_span_is_that_part_of_the_whole(stored: Case, data: st.DataObject) -> None:
    plan = stored.plan()
    whole = stored.span(plan)
    edges = [0, plan.size, plan.directory_offset]
    for member in plan.members:
        edges += [member.offset, member.content_start, member.content_end, member.end]
    place = st.one_of(
        st.integers(0, plan.size),
        st.builds(
            lambda edge, by: min(max(0, edge + by), plan.size),
            st.sampled_from(edges),
            st.integers(-2, 2),
        ),
    )
    start, end = sorted((data.draw(place), data.draw(place)))
    # A process that has not seen the rest, and one that has.
    known = Checksums(plan)
    stored.span(plan, known, 0, data.draw(place))
    for sums in (Checksums(plan), known):
        assert stored.span(plan, sums, start, end) == whole[start:end]


def test_what_lies_before_is_not_read_again_by_who_has_sent_it(stored: Case) -> None:
    plan = stored.plan()
    sums = Checksums(plan)
    large = next(m for m in plan.members if m.entry.name.endswith(b"large.bin"))
    broke_off = large.content_end - 100
    whole = stored.span(plan)
    begun = stored.span(plan, sums, 0, broke_off)

    rest = stored.span(plan, sums, broke_off)

    assert begun + rest == whole
    assert isinstance(large.content, tuple)
    again = set(large.content) & set(stored.reader.asked)
    assert sum(stored.reader.length(blob) for blob in again) < 8 << 20


def test_a_span_of_a_known_file_reads_its_own_blobs_alone(stored: Case) -> None:
    plan = stored.plan()
    sums = Checksums(plan)
    stored.span(plan, sums)
    large = next(m for m in plan.members if m.entry.name.endswith(b"large.bin"))

    stored.span(plan, sums, large.content_end - 10)

    assert isinstance(large.content, tuple)
    assert [blob for blob in stored.reader.asked if blob in large.content] == [large.content[-1]]


def test_signs_of_life_come_while_checksums_are_made_up_for(stored: Case) -> None:
    plan = stored.plan()
    pieces = list(
        zip_span(plan, stored.reader, Checksums(plan), start=plan.size - 22, cancel=CancelToken())
    )
    assert b"" in pieces
    assert b"".join(pieces)[:4] == b"PK\5\6"


def test_a_missing_blob_ends_the_zip_before_its_end(stored: Case) -> None:
    plan = stored.plan()
    large = next(m for m in plan.members if m.entry.name.endswith(b"large.bin"))
    assert isinstance(large.content, tuple)
    lost = replace(large, content=(*large.content[:-1], BlobId(bytes(32))))
    members = tuple(lost if member is large else member for member in plan.members)
    broken = ZipPlan(members, plan.directory_offset, plan.size, plan.tag, ())

    received: list[bytes] = []
    pieces = zip_span(broken, stored.reader, Checksums(broken), cancel=CancelToken())
    with pytest.raises(DamagedMemberError) as told:
        received.extend(pieces)
    assert told.value.path == large.path
    assert large.offset < sum(map(len, received)) <= large.content_end


def test_a_file_of_another_length_than_recorded_ends_the_zip(stored: Case) -> None:
    plan = stored.plan()
    large = next(m for m in plan.members if m.entry.name.endswith(b"large.bin"))
    assert isinstance(large.content, tuple)
    for content in (large.content[:-1], (*large.content, large.content[0])):
        wrong = replace(large, content=content)
        members = tuple(wrong if member is large else member for member in plan.members)
        broken = ZipPlan(members, plan.directory_offset, plan.size, plan.tag, ())
        with pytest.raises(IntegrityError, match="not the 12,582,912 bytes"):
            stored.span(broken)


def test_it_stops_when_it_is_cancelled(stored: Case) -> None:
    plan, cancel = stored.plan(), CancelToken()
    pieces = zip_span(plan, stored.reader, Checksums(plan), cancel=cancel)
    next(pieces)
    cancel.cancel()
    with pytest.raises(JobCancelledError):
        list(pieces)


def test_what_a_zip_cannot_hold_is_listed_in_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mkfifo(source / "queue")
    (source / "file").write_text("x")
    with case(source) as found:
        plan = found.plan()
        with zipfile.ZipFile(io.BytesIO(found.span(plan))) as packed:
            text = packed.read("Left out of this zip.txt").decode()
    assert [each.path[-1] for each in plan.left_out] == [b"queue"]
    assert f"{source}/queue: a zip cannot hold a fifo" in text


@dataclass
class Volume:
    """A file in a volume, which gives an error behind its first half if it is ``damaged``."""

    data: bytes
    damaged: bool = False
    problem: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        return (id(self),)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        half = len(self.data) // 2
        for place in range(start, len(self.data), 7):
            if self.damaged and place >= half:
                raise UnreadableError("its sectors are lost")
            yield self.data[place : min(place + 7, len(self.data))]


def in_volume(volume: Volume) -> Found:
    kind, mode = go_mode(0o100644)
    assert kind is NodeKind.FILE
    node = Node(name=b"f", kind=kind, mode=mode, size=len(volume.data), mtime_ns=0)
    return Found((b"disk0", b"volume1", b"f"), node, inside=volume)


class OneFile(PointBrowser):
    """A restore point in whose volume is one file."""

    def __init__(self, like: PointBrowser, found: Found) -> None:
        self.snapshot = like.snapshot
        self._found = found

    def walk(self, selection: Sequence[TreePath] = ()) -> Iterator[Found]:
        yield self._found

    def omissions(self) -> tuple[()]:
        return ()


def test_a_span_of_a_file_inside_a_volume_begins_in_its_middle(stored: Case) -> None:
    found = in_volume(Volume(bytes(range(256)) * 4))
    one = Case(OneFile(stored.browser, found), stored.reader)
    plan = one.plan()
    sums = Checksums(plan)
    whole = one.span(plan, sums)
    assert isinstance(plan.members[0].content, InVolume)
    for start in (0, plan.members[0].content_start + 500, plan.size - 30):
        assert one.span(plan, sums, start) == one.span(plan, None, start) == whole[start:]


def test_a_file_that_proves_unreadable_ends_the_zip_and_is_left_out_of_the_next(
    stored: Case,
) -> None:
    found = in_volume(Volume(bytes(1000), damaged=True))
    one = Case(OneFile(stored.browser, found), stored.reader)
    before = one.plan()
    with pytest.raises(UnreadableMemberError) as failed:
        one.span(before)

    one.unreadable = {failed.value.path: failed.value.message}
    after = one.plan()

    assert after.tag != before.tag
    with zipfile.ZipFile(io.BytesIO(one.span(after))) as packed:
        assert packed.namelist() == ["Left out of this zip.txt"]
        text = packed.read("Left out of this zip.txt").decode()
    assert "/disk0/volume1/f: its sectors are lost" in text


def test_more_than_four_gib_are_found_by_zip64(tmp_path: Path) -> None:
    """Header, directory and end alone, in a file with a hole where the content would be."""
    large = Entry(b"large", 0o100644, 0, 5 * GIB, None)
    behind = Entry(b"behind", 0o100644, 0, 0, 0)
    crc = 0
    file = tmp_path / "large.zip"
    with open(file, "wb") as written:
        written.write(local_header(large))
        written.seek(large.size, os.SEEK_CUR)
        written.write(descriptor(large, crc))
        offset = written.tell()
        assert offset == large.header_length + large.size + large.descriptor_length
        written.write(local_header(behind))
        directory = central_record(large, crc, 0) + central_record(behind, 0, offset)
        start = written.tell()
        written.write(directory)
        written.write(end_records(count=2, offset=start, size=len(directory)))
    with zipfile.ZipFile(file) as packed:
        assert [(i.filename, i.file_size, i.header_offset) for i in packed.infolist()] == [
            ("large", 5 * GIB, 0),
            ("behind", 0, offset),
        ]
    listed = subprocess.run(["7z", "l", str(file)], capture_output=True, check=True, text=True)
    assert str(5 * GIB) in listed.stdout


def test_more_than_65535_members_are_counted_by_zip64() -> None:
    entry = Entry(b"x", 0o100644, 0, 0, 0)
    count = 70_000
    local = local_header(entry) * count
    each = len(local_header(entry))
    directory = b"".join(central_record(entry, 0, each * n) for n in range(count))
    end = end_records(count=count, offset=len(local), size=len(directory))
    with zipfile.ZipFile(io.BytesIO(local + directory + end)) as packed:
        assert len(packed.infolist()) == count
