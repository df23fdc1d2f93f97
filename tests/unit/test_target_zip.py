"""Zips that stream, that other programs read, and that look broken when they are."""

from __future__ import annotations

import gc
import io
import os
import random
import stat
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError, TargetError, UnsafePathError
from backup_agent.model.events import Event, ItemSkipped, Notice, ignore
from backup_agent.model.node import Node, go_mode
from backup_agent.targets.zip import ZipTarget
from backup_agent.targets.zip_names import ArchiveNames, safe_name

MODIFIED = datetime(2021, 3, 4, 5, 6, 8, tzinfo=UTC)


class OneWay(io.RawIOBase):
    """A stream as a pipe or a response is one: no tell, no seek, and short writes."""

    def __init__(self, *, most: int = 1 << 30) -> None:
        self.received = bytearray()
        self.most = most

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        taken = memoryview(data)[: self.most]  # type: ignore[arg-type]  # any buffer, as typeshed names it privately
        self.received += taken
        return len(taken)

    def reader(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(bytes(self.received)))


def node(
    kind: int = stat.S_IFREG, permissions: int = 0o644, *, size: int = 0, link_target: bytes = b""
) -> Node:
    node_kind, mode = go_mode(kind | permissions)
    return Node(
        name=b"unused",
        kind=node_kind,
        mode=mode,
        size=size,
        mtime_ns=int(MODIFIED.timestamp()) * 10**9 + 7,
        link_target=link_target,
    )


FOLDER = node(stat.S_IFDIR, 0o750)


def add(target: ZipTarget, path: bytes, content: bytes = b"") -> None:
    target.add_file(tuple(path.split(b"/")), node(size=len(content)), [content] if content else [])


def sample(stream: OneWay) -> dict[str, bytes]:
    """A bit of everything; what the regular files hold."""
    noise = random.Random(7).randbytes(300_000)
    with ZipTarget(stream, emit=ignore) as target:
        target.add_folder((b"d",), FOLDER)
        target.add_folder((b"d", b"empty"), FOLDER)
        target.add_file((b"d", b"text"), node(size=9000), [b"abc" * 1000, b"abc" * 2000])
        target.add_file((b"d", b"noise"), node(permissions=0o755, size=len(noise)), [noise])
        target.add_file(("Größe 😀".encode(),), node(size=2), [b"hi"])
        target.add_file((b"none",), node(), [])
        target.add_symlink((b"link",), node(stat.S_IFLNK, 0o777, link_target=b"d/text"))
    return {"d/text": b"abc" * 3000, "d/noise": noise, "Größe 😀": b"hi", "none": b""}


def test_python_reads_everything_back() -> None:
    stream = OneWay(most=1000)
    expected = sample(stream)
    archive = stream.reader()
    assert archive.testzip() is None
    for name, content in expected.items():
        assert archive.read(name) == content
    assert archive.read("link") == b"d/text"
    modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes["d/empty/"] == stat.S_IFDIR | 0o750
    assert modes["d/noise"] == stat.S_IFREG | 0o755
    assert modes["link"] == stat.S_IFLNK | 0o777


def test_times_are_utc_in_both_fields() -> None:
    stream = OneWay()
    sample(stream)
    for info in stream.reader().infolist():
        assert info.date_time == (2021, 3, 4, 5, 6, 8)
        tag, size, flags, seconds = struct.unpack("<2sHBi", info.extra[-9:])
        assert (tag, size, flags, seconds) == (b"UT", 5, 1, int(MODIFIED.timestamp()))


@pytest.mark.parametrize(
    ("mtime_ns", "date"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (-(10**19), (1980, 1, 1, 0, 0, 0)),
        (10**30, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_out_of_range_are_clamped(mtime_ns: int, date: tuple[int, ...]) -> None:
    stream = OneWay()
    with ZipTarget(stream, emit=ignore) as target:
        target.add_file((b"a",), Node(name=b"a", kind=node().kind, mtime_ns=mtime_ns), [])
    assert stream.reader().getinfo("a").date_time == date


def test_compressible_content_shrinks_and_noise_hardly_grows() -> None:
    stream = OneWay()
    sample(stream)
    archive = stream.reader()
    assert archive.getinfo("d/text").compress_size < 200
    noise = archive.getinfo("d/noise")
    assert noise.file_size <= noise.compress_size < noise.file_size * 1.001


def run(*command: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_extracted(folder: Path, expected: dict[str, bytes]) -> None:
    for name, content in expected.items():
        assert (folder / name).read_bytes() == content
        assert (folder / name).stat().st_mtime == MODIFIED.timestamp()
    assert os.readlink(folder / "link") == "d/text"
    assert stat.S_IMODE((folder / "d/noise").stat().st_mode) == 0o755
    assert os.listdir(folder / "d/empty") == []


def test_unzip_extracts_everything(tmp_path: Path) -> None:
    stream = OneWay()
    expected = sample(stream)
    (tmp_path / "a.zip").write_bytes(stream.received)
    assert "No errors detected" in run("unzip", "-t", "a.zip", cwd=tmp_path)
    run("unzip", "-q", "a.zip", "-d", "out", cwd=tmp_path)
    assert_extracted(tmp_path / "out", expected)


def test_bsdtar_extracts_everything_even_front_to_back(tmp_path: Path) -> None:
    stream = OneWay()
    expected = sample(stream)
    (tmp_path / "a.zip").write_bytes(stream.received)
    (tmp_path / "out").mkdir()
    run("bsdtar", "-x", "-f", "../a.zip", cwd=tmp_path / "out")
    assert_extracted(tmp_path / "out", expected)
    (tmp_path / "piped").mkdir()
    run("sh", "-c", "cat ../a.zip | bsdtar -x -f -", cwd=tmp_path / "piped")
    # Modes and links stand in the central directory only, which comes too late here.
    for name, content in expected.items():
        assert (tmp_path / "piped" / name).read_bytes() == content


def failing_after(good: bytes) -> Iterator[bytes]:
    yield good
    raise IntegrityError("blob 0123 is corrupt")


def add_two(stream: OneWay, content: Iterator[bytes], *, size: int) -> None:
    with ZipTarget(stream, emit=ignore) as target:
        add(target, b"first", b"fine")
        target.add_file((b"bad",), node(size=size), content)


@pytest.mark.parametrize("good", [b"x" * 100, os.urandom(200_000)])
def test_corrupt_content_leaves_a_zip_that_is_visibly_broken(good: bytes) -> None:
    stream = OneWay()
    with pytest.raises(IntegrityError, match="0123"):
        add_two(stream, failing_after(good), size=2 * len(good))
    gc.collect()  # zipfile completes what it still holds when it is collected
    assert b"PK\x05\x06" not in stream.received
    assert b"PK\x01\x02" not in stream.received
    with pytest.raises(zipfile.BadZipFile):
        stream.reader()


def test_a_zip_stays_broken_though_the_caller_goes_on() -> None:
    stream = OneWay()
    with ZipTarget(stream, emit=ignore) as target:
        with pytest.raises(IntegrityError):
            target.add_file((b"bad",), node(size=10), failing_after(b""))
        add(target, b"later", b"x")
    with pytest.raises(zipfile.BadZipFile):
        stream.reader()


def test_an_exception_between_two_members_breaks_the_zip_too() -> None:
    stream = OneWay()
    with suppress(KeyboardInterrupt), ZipTarget(stream, emit=ignore) as target:
        add(target, b"first", b"fine")
        raise KeyboardInterrupt
    with pytest.raises(zipfile.BadZipFile):
        stream.reader()


@pytest.mark.parametrize("content", [b"", b"short", b"much too long"])
def test_content_of_another_length_than_recorded_breaks_the_zip(content: bytes) -> None:
    stream = OneWay()
    with pytest.raises(IntegrityError), ZipTarget(stream, emit=ignore) as target:
        target.add_file((b"a",), node(size=10), [content])
    with pytest.raises(zipfile.BadZipFile):
        stream.reader()


def test_a_reader_that_went_away_is_a_target_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with (
        open(write_end, "wb", buffering=0) as stream,
        pytest.raises(TargetError),
        ZipTarget(stream, emit=ignore) as target,
    ):
        add(target, b"a", b"x")


def test_more_members_than_a_plain_zip_can_count() -> None:
    stream = OneWay()
    with ZipTarget(stream, emit=ignore) as target:
        for number in range(66_000):
            target.add_folder((b"%d" % number,), FOLDER)
    assert len(stream.reader().namelist()) == 66_000


class EndOnly:
    """Counts, and keeps the last bytes: enough for the central directory of a zip of one member."""

    def __init__(self) -> None:
        self.length = 0
        self.end = b""

    def write(self, data: bytes) -> int:
        self.length += len(data)
        self.end = (self.end + data)[-200:]
        return len(data)


def write_zeros(mebibytes: int) -> EndOnly:
    stream = EndOnly()
    chunk = bytes(1 << 20)
    with ZipTarget(stream, emit=ignore) as target:
        target.add_file((b"zeros",), node(size=mebibytes << 20), (chunk for _ in range(mebibytes)))
    return stream


def test_memory_does_not_grow_with_the_size_of_a_member() -> None:
    tracemalloc.start()
    try:
        write_zeros(64)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_member_above_two_gib_is_announced_as_zip64() -> None:
    stream = OneWay()
    with pytest.raises(IntegrityError), ZipTarget(stream, emit=ignore) as target:
        target.add_file((b"big",), node(size=5 << 30), [b"not so big"])
    (needed,) = struct.unpack_from("<H", stream.received, 4)
    assert needed == 45


@pytest.mark.full
def test_five_gib_in_one_member(tmp_path: Path) -> None:
    size = 5 << 30
    with open(tmp_path / "big.zip", "wb") as file, ZipTarget(file, emit=ignore) as target:
        chunk = bytes(1 << 20)
        target.add_file((b"zeros",), node(size=size), (chunk for _ in range(5 << 10)))
        add(target, b"after", b"x")
    archive = zipfile.ZipFile(tmp_path / "big.zip")
    assert archive.getinfo("zeros").file_size == size
    assert archive.read("after") == b"x"
    run("unzip", "-tq", str(tmp_path / "big.zip"))
    run("bsdtar", "-t", "-f", str(tmp_path / "big.zip"))


def test_what_a_zip_cannot_hold_is_an_omission_unless_it_is_a_socket() -> None:
    stream, events = OneWay(), list[Event]()
    with ZipTarget(stream, emit=events.append) as target:
        for name, kind in ((b"p", stat.S_IFIFO), (b"s", stat.S_IFSOCK), (b"b", stat.S_IFBLK)):
            target.add_other((b"dev", name), node(kind))
    assert stream.reader().namelist() == []
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["dev/p", "dev/b"]
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert notice.message.startswith("dev/s: ")


def test_changed_names_are_noticed_and_kept_apart() -> None:
    stream, events = OneWay(), list[Event]()
    with ZipTarget(stream, emit=events.append) as target:
        add(target, b"caf\xe9.txt", b"1")
        add(target, b"caf%E9.txt", b"2")
        add(target, b"plain", b"3")
    archive = stream.reader()
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "caf%E9.txt": b"1",
        "caf%E9 (2).txt": b"2",
        "plain": b"3",
    }
    assert len(events) == 2


def test_a_path_longer_than_a_zip_allows_is_reported() -> None:
    stream, events = OneWay(), list[Event]()
    deep = tuple(b"%d" % number * 60 for number in range(700))
    with ZipTarget(stream, emit=events.append) as target:
        target.add_folder(deep, FOLDER)
        add(target, b"fine", b"x")
    assert stream.reader().namelist() == ["fine"]
    assert any(isinstance(event, ItemSkipped) for event in events)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"plain name.txt", "plain name.txt"),
        ("Ünï 😀".encode(), "Ünï 😀"),
        (b"latin \xe9", "latin %E9"),
        (b"..\\..\\evil", ".._.._evil"),
        (b"C:evil", "C_evil"),
        (b"10:30 what?.log", "10:30 what?.log"),
        (b"bell\x07\x1b[2J", "bell__[2J"),
        ("line\u2028break".encode(), "line_break"),
        (b"...", "..."),
    ],
)
def test_names_are_changed_only_where_they_would_be_misread(raw: bytes, name: str) -> None:
    assert safe_name(raw) == name


@pytest.mark.parametrize("raw", [b"", b".", b"..", b"a/b", b"/", b"a\0"])
def test_names_that_are_no_names_are_refused(raw: bytes) -> None:
    stream = OneWay()
    with pytest.raises(UnsafePathError), ZipTarget(stream, emit=ignore) as target:
        target.add_file((b"d", raw), node(), [])


def test_no_entry_leads_through_a_symlink_of_the_same_name() -> None:
    names = ArchiveNames()
    assert names.entry((b"way",)) == "way"
    assert names.folder((b"way",)) == "way (2)/"
    assert names.entry((b"way", b"passwd")) == "way (2)/passwd"


def test_ten_thousand_equal_names_take_no_time_to_tell_apart() -> None:
    names = ArchiveNames()
    made = {names.entry((b"a.b",)) for _ in range(10_000)}
    assert len(made) == 10_000
    assert "a (9999).b" in made


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"10:30 what?.log", "10_30 what_.log"),
        (b"trailing. .", "trailing___"),
        (b"...", "___"),
        (b"con", "con_"),
        (b"NUL.tar.gz", "NUL_.tar.gz"),
        (b"LPT1 .txt", "LPT1_ .txt"),
        (b"Console.txt", "Console.txt"),
        ("Ünï".encode(), "Ünï"),
        (b".profile", ".profile"),
    ],
)
def test_names_for_any_system_are_those_that_windows_takes(raw: bytes, name: str) -> None:
    names = ArchiveNames(for_any_system=True)

    assert names.entry((raw,)) == name
    assert names.changed == ({} if raw == name.encode() else {(raw,): name})


def test_names_that_some_system_takes_for_the_same_are_numbered() -> None:
    names = ArchiveNames(for_any_system=True)
    twins = [b"x", b"X", b"x.", b"x_", "é".encode(), "é".encode()]

    made = [names.entry((raw,)) for raw in twins]

    assert made == ["x", "X (2)", "x_", "x_ (2)", "é", "é (2)"]
    assert names.folder((b"DIR", b"sub")) == "DIR/sub/"
    assert names.entry((b"dir", b"file")) == "dir (2)/file"
    assert set(names.changed) == {(b"X",), (b"x.",), (b"x_",), ("é".encode(),), (b"dir",)}
