"""Restored trees: everything recorded comes back, and nothing is written outside."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import struct
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.errors import TargetError, UnsafePathError
from backup_agent.model.events import Event, ItemSkipped, Notice
from backup_agent.model.node import Node, NodeKind, Xattr, go_mode
from backup_agent.targets.path import RelPath
from backup_agent.targets.tree import TreeTarget

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def node(
    kind: int = stat.S_IFREG,
    permissions: int = 0o644,
    *,
    size: int = 0,
    link_target: bytes = b"",
    xattrs: tuple[Xattr, ...] = (),
    device: int = 0,
    uid: int | None = None,
    gid: int | None = None,
) -> Node:
    node_kind, mode = go_mode(kind | permissions)
    return Node(
        name=b"unused",
        kind=node_kind,
        mode=mode,
        mtime_ns=1_111_111_111_123_456_789,
        atime_ns=1_222_222_222_987_654_321,
        uid=os.geteuid() if uid is None else uid,
        gid=os.getegid() if gid is None else gid,
        size=size,
        link_target=link_target,
        xattrs=xattrs,
        device=device,
    )


FOLDER = node(stat.S_IFDIR, 0o755)


@contextmanager
def restoring(root: Path, *, own: bool | None = None) -> Iterator[tuple[TreeTarget, list[Event]]]:
    events: list[Event] = []
    target = TreeTarget(root, emit=events.append, own=own)
    try:
        yield target, events
    finally:
        target.close()


def put_file(target: TreeTarget, path: RelPath, content: bytes, of: Node | None = None) -> None:
    made = of or node(size=len(content))
    target.make_file(path, made)
    target.write_at(path, 0, content)
    target.finish_file(path, made)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without privileges, whoever runs the tests."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that an unprivileged user reaches too (pytest's own are private)."""
    base = tmp_path_factory.getbasetemp()
    folders = [base, base.parent]
    modes = [stat.S_IMODE(folder.stat().st_mode) for folder in folders]
    root = tmp_path_factory.mktemp("open")
    root.chmod(0o777)
    for folder, mode in zip(folders, modes, strict=True):
        folder.chmod(mode | 0o011)
    try:
        yield root
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)


def test_content_mode_and_times_come_back_to_the_nanosecond(tmp_path: Path) -> None:
    with restoring(tmp_path / "new" / "place") as (target, events):
        target.make_folder((b"docs",))
        put_file(target, (b"docs", b"a.txt"), b"hello", node(permissions=0o4711, size=5))
        target.finish_folder((b"docs",), node(stat.S_IFDIR, 0o3750))
    file = tmp_path / "new/place/docs/a.txt"
    assert file.read_bytes() == b"hello"
    for path, mode in ((file, 0o4711), (file.parent, 0o3750)):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == mode
        assert found.st_mtime_ns == 1_111_111_111_123_456_789
    assert events == []


def test_access_time_comes_back(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        put_file(target, (b"a",), b"x")
        assert (tmp_path / "a").stat().st_atime_ns == 1_222_222_222_987_654_321


def test_blobs_may_arrive_in_any_order_and_from_many_threads(tmp_path: Path) -> None:
    count, piece = 300, 1000
    paths = [(b"f", b"%d" % i) for i in range(count)]
    whole = node(size=3 * piece)
    with restoring(tmp_path) as (target, events):
        target.make_folder((b"f",))
        for path in paths:
            assert target.make_file(path, whole)

        def write(job: tuple[int, int]) -> None:
            part, number = job
            fill = bytes([1 + (number + part) % 255]) * piece
            target.write_at(paths[number], part * piece, fill)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, [(p, n) for p in (2, 0, 1) for n in range(count)]))
        for path in paths:
            target.finish_file(path, whole)
    for number in range(count):
        expected = b"".join(bytes([1 + (number + p) % 255]) * piece for p in range(3))
        assert (tmp_path / "f" / str(number)).read_bytes() == expected
    assert events == []


def test_zeros_stay_a_hole(tmp_path: Path) -> None:
    size = 8 << 20
    with restoring(tmp_path) as (target, _):
        target.make_file((b"sparse",), node(size=size))
        for offset in range(0, size - (1 << 20), 1 << 20):
            target.write_at((b"sparse",), offset, memoryview(bytes(1 << 20)))
        target.write_at((b"sparse",), size - 4096, bytes(4095) + b"x")
        target.finish_file((b"sparse",), node(size=size))
    file = tmp_path / "sparse"
    assert file.stat().st_size == size
    assert file.stat().st_blocks * 512 <= 64 << 10
    assert file.read_bytes() == bytes(size - 1) + b"x"


@pytest.mark.parametrize("offset", [0, 1, 4096, (64 << 10) - 1])
def test_zeros_inside_a_piece_stay_a_hole(tmp_path: Path, offset: int) -> None:
    piece = b"a" + bytes(2 << 20) + b"b" * 100_000 + bytes(2 << 20) + b"c"
    size = offset + len(piece)
    with restoring(tmp_path) as (target, events):
        target.make_file((b"sparse",), node(size=size))
        target.write_at((b"sparse",), offset, piece)
        target.finish_file((b"sparse",), node(size=size))
    file = tmp_path / "sparse"
    assert file.read_bytes() == bytes(offset) + piece
    assert file.stat().st_blocks * 512 <= 512 << 10
    assert events == []


def test_read_at_gives_back_what_was_written(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        target.make_file((b"a",), node(size=10))
        target.write_at((b"a",), 4, b"mid")
        assert target.read_at((b"a",), 0, 10) == b"\0\0\0\0mid\0\0\0"
        assert target.read_at((b"a",), 8, 10) == b"\0\0"


def test_reading_back_a_missing_file_is_a_target_error(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _), pytest.raises(TargetError):
        target.read_at((b"absent",), 0, 1)


def test_symlinks_come_back_with_their_own_times(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("untouched")
    before = (tmp_path / "there").stat()
    with restoring(tmp_path) as (target, events):
        target.make_other((b"link",), node(stat.S_IFLNK, 0o777, link_target=b"there"))
        target.make_other((b"\xff",), node(stat.S_IFLNK, 0o777, link_target=b"/no/\xfe"))
    assert os.readlink(tmp_path / "link") == "there"
    assert os.readlink(os.fsencode(tmp_path) + b"/\xff") == b"/no/\xfe"
    assert (tmp_path / "link").lstat().st_mtime_ns == 1_111_111_111_123_456_789
    assert (tmp_path / "there").stat().st_mtime_ns == before.st_mtime_ns
    assert events == []


def test_hard_links_share_one_file(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        target.make_folder((b"sub",))
        put_file(target, (b"a",), b"one")
        assert target.link_file((b"sub", b"b"), (b"a",))
    assert (tmp_path / "sub/b").samefile(tmp_path / "a")
    assert events == []


def test_fifos_come_back_and_sockets_are_named(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        assert target.make_other((b"pipe",), node(stat.S_IFIFO, 0o620))
        assert not target.make_other((b"sock",), node(stat.S_IFSOCK))
    found = (tmp_path / "pipe").lstat()
    assert stat.S_ISFIFO(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o620
    assert found.st_mtime_ns == 1_111_111_111_123_456_789
    assert not (tmp_path / "sock").exists()
    assert [type(event) for event in events] == [Notice]


def test_an_irregular_node_is_reported(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        assert not target.make_other((b"odd",), Node(name=b"odd", kind=NodeKind.IRREGULAR))
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["odd"]


@as_root
def test_devices_come_back_without_being_opened(tmp_path: Path) -> None:
    # 240 is free for experiments: no driver answers, so opening the device would fail.
    number = os.makedev(240, 300)
    with restoring(tmp_path) as (target, events):
        target.make_other((b"c",), node(stat.S_IFCHR, 0o660, device=number, uid=12, gid=34))
        target.make_other((b"b",), node(stat.S_IFBLK, 0o600, device=number))
    found = (tmp_path / "c").stat()
    assert stat.S_ISCHR(found.st_mode)
    assert stat.S_ISBLK((tmp_path / "b").stat().st_mode)
    assert (found.st_rdev, found.st_uid, found.st_gid) == (number, 12, 34)
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert events == []


@as_root
def test_owner_set_id_bits_and_capabilities_come_back_together(tmp_path: Path) -> None:
    # struct vfs_cap_data, revision 2: cap_net_raw (bit 13) permitted
    capability = struct.pack("<5I", 0x02000000, 1 << 13, 0, 0, 0)
    recorded = node(
        permissions=0o6755,
        size=1,
        uid=1234,
        gid=4321,
        xattrs=(Xattr("security.capability", capability),),
    )
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"ping",), b"x", recorded)
        target.make_other((b"l",), node(stat.S_IFLNK, 0o777, link_target=b"ping", uid=7, gid=8))
    found = (tmp_path / "ping").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o6755)
    assert os.getxattr(tmp_path / "ping", "security.capability") == capability
    assert (tmp_path / "l").lstat().st_uid == 7
    assert events == []


def posix_acl(*entries: tuple[int, int, int]) -> bytes:
    """As the kernel's ``system.posix_acl_*`` holds it: version 2, then tag, permissions, id."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NONE = 0xFFFFFFFF
READ_FOR_1000 = posix_acl(
    (1, 4, NONE), (2, 4, 1000), (4, 0, NONE), (0x10, 4, NONE), (0x20, 0, NONE)
)


def xattrs_work(folder: Path, name: str, value: bytes) -> bool:
    probe = folder / ".probe"
    probe.touch()
    try:
        os.setxattr(probe, name, value)
    except OSError:
        return False
    finally:
        probe.unlink()
    return True


def test_xattrs_and_acls_come_back_on_files_their_owner_may_not_write(tmp_path: Path) -> None:
    if not xattrs_work(tmp_path, "system.posix_acl_access", READ_FOR_1000):
        pytest.skip("the file system has no ACLs")
    recorded = node(
        permissions=0o440,
        size=1,
        xattrs=(
            Xattr("user.colour", b"\x00green"),
            Xattr("system.posix_acl_access", READ_FOR_1000),
        ),
    )
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"a",), b"x", recorded)
    assert os.getxattr(tmp_path / "a", "user.colour") == b"\x00green"
    assert os.getxattr(tmp_path / "a", "system.posix_acl_access") == READ_FOR_1000
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o440
    assert events == []


def test_a_folder_in_the_target_passes_its_default_acl_to_nothing(tmp_path: Path) -> None:
    if not xattrs_work(tmp_path, "system.posix_acl_access", READ_FOR_1000):
        pytest.skip("the file system has no ACLs")
    os.setxattr(tmp_path, "system.posix_acl_default", READ_FOR_1000)
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"private",), b"x", node(permissions=0o640, size=1))
    assert "system.posix_acl_access" not in os.listxattr(tmp_path / "private")
    assert events == []


def test_an_xattr_that_cannot_be_set_is_reported_and_the_rest_is_set(tmp_path: Path) -> None:
    recorded = node(permissions=0o600, size=1, xattrs=(Xattr("nonsense.name", b"x"),))
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"a",), b"x", recorded)
    (event,) = events
    assert isinstance(event, ItemSkipped)
    assert (event.path, event.during) == ("a", "restore")
    assert "nonsense.name" in event.reason
    assert (tmp_path / "a").stat().st_mtime_ns == 1_111_111_111_123_456_789


def test_without_privileges_foreign_owners_are_reported_once_and_set_id_bits_dropped(
    open_to_all: Path,
) -> None:
    with as_nobody():
        uid = os.geteuid()
        theirs = uid + 1
        with restoring(open_to_all / "t") as (target, events):
            put_file(target, (b"mine",), b"x", node(permissions=0o4755, size=1, uid=uid))
            put_file(target, (b"a",), b"x", node(permissions=0o644, size=1, uid=theirs))
            put_file(target, (b"b",), b"x", node(permissions=0o4755, size=1, uid=theirs))
            assert not target.make_other((b"dev",), node(stat.S_IFCHR, device=os.makedev(1, 3)))
        assert stat.S_IMODE((open_to_all / "t/mine").stat().st_mode) == 0o4755
        assert stat.S_IMODE((open_to_all / "t/b").stat().st_mode) == 0o755
    paths = [event.path for event in events if isinstance(event, ItemSkipped)]
    assert paths == ["b", "dev", "."]
    assert "2 items" in str(events[-1])


def test_leaving_owners_alone_on_request_is_no_omission(tmp_path: Path) -> None:
    with restoring(tmp_path, own=False) as (target, events):
        put_file(target, (b"a",), b"x", node(size=1, uid=os.geteuid() + 5))
    assert (tmp_path / "a").stat().st_uid == os.geteuid()
    assert events == []


def test_a_read_only_folder_is_filled_before_it_is_read_only(open_to_all: Path) -> None:
    with as_nobody():
        (open_to_all / "standing").mkdir(mode=0o300)
        (open_to_all / "standing").chmod(0o100)
        with restoring(open_to_all) as (target, events):
            for name in (b"standing", b"new"):
                recorded = node(stat.S_IFDIR, 0o555)
                target.make_folder((name,))
                put_file(target, (name, b"a"), b"x")
                target.finish_folder((name,), recorded)
        assert stat.S_IMODE((open_to_all / "new").stat().st_mode) == 0o555
        assert (open_to_all / "standing/a").read_bytes() == b"x"
    assert events == []


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc", b"a\0b", b"../x"])
def test_names_that_are_no_names_are_refused(tmp_path: Path, name: bytes) -> None:
    root = tmp_path / "root"
    with restoring(root) as (target, _):
        target.make_folder((b"d",))
        for path in ((name,), (b"d", name), (b"d", name, b"x")):
            with pytest.raises(UnsafePathError):
                target.make_file(path, node())
            with pytest.raises(UnsafePathError):
                target.make_folder(path)
            with pytest.raises(UnsafePathError):
                target.make_other(path, node(stat.S_IFLNK, link_target=b"x"))
            with pytest.raises(UnsafePathError):
                target.link_file(path, (b"d",))
    assert os.listdir(tmp_path) == ["root"]


def test_hard_links_reach_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with restoring(tmp_path / "root") as (target, events):
        with pytest.raises(UnsafePathError):
            target.link_file((b"stolen",), (b"..", b"secret"))
        target.make_other((b"up",), node(stat.S_IFLNK, link_target=b".."))
        assert not target.link_file((b"stolen2",), (b"up", b"secret"))
    assert not (tmp_path / "root/stolen2").exists()
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["stolen2"]


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        target.make_other((b"a",), node(stat.S_IFLNK, link_target=b"/"))
        with pytest.raises(UnsafePathError):
            target.make_folder((b"a",))


def test_nothing_is_written_through_a_symlink_of_the_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with restoring(tmp_path / "root") as (target, events):
        target.make_other((b"way",), node(stat.S_IFLNK, link_target=os.fsencode(outside)))
        assert not target.make_file((b"way", b"x"), node(size=1))
        target.write_at((b"way", b"x"), 0, b"x")
        target.finish_file((b"way", b"x"), node(size=1))
        assert not target.make_folder((b"way", b"d"))
    assert os.listdir(outside) == []
    assert {event.path for event in events if isinstance(event, ItemSkipped)} == {"way/x", "way/d"}


def test_symlinks_that_stand_in_the_target_are_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "file")
    with restoring(root) as (target, events):
        target.make_folder((b"folder",))
        put_file(target, (b"folder", b"x"), b"ours")
        put_file(target, (b"file",), b"ours")
        target.finish_folder((b"folder",), FOLDER)
    assert os.listdir(outside) == ["file"]
    assert (outside / "file").read_text() == "theirs"
    assert (root / "folder/x").read_bytes() == b"ours"
    assert not (root / "folder").is_symlink()
    assert events == []


def test_a_folder_swapped_for_a_symlink_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("theirs")
    with restoring(tmp_path / "root") as (target, events):
        target.make_folder((b"d",))
        target.make_file((b"d", b"x"), node(size=4))
        # So many others that the descriptors of d and x have been closed since.
        for number in range(200):
            other = (b"e%d" % number,)
            target.make_folder(other)
            target.make_file((*other, b"f"), node())
        (tmp_path / "root/d").rename(tmp_path / "root/moved")
        (tmp_path / "root/d").symlink_to(outside)
        target.write_at((b"d", b"x"), 0, b"ours")
    assert (outside / "x").read_text() == "theirs"
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["d/x"]


def test_other_hard_links_of_a_replaced_file_keep_their_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("theirs")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").hardlink_to(tmp_path / "old")
    os.mkfifo(root / "b")
    with restoring(root) as (target, events):
        put_file(target, (b"a",), b"ours")
        put_file(target, (b"b",), b"ours")
    assert (tmp_path / "old").read_text() == "theirs"
    assert (root / "a").read_bytes() == (root / "b").read_bytes() == b"ours"
    assert events == []


def test_an_older_file_stays_whole_until_the_new_one_is_finished(tmp_path: Path) -> None:
    for older in ("left", "damaged", "done"):
        (tmp_path / older).write_text("older")
    with restoring(tmp_path) as (target, events):
        for name in (b"left", b"damaged", b"done"):
            assert target.make_file((name,), node(size=3))
            target.write_at((name,), 0, b"new")
            assert (tmp_path / os.fsdecode(name)).read_text() == "older"
        target.discard_file((b"damaged",))
        assert target.finish_file((b"done",), node(size=3))
        (part,) = tmp_path.glob(".everboot-*.part")
        assert part.read_text() == "new"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "left": "older",
        "damaged": "older",
        "done": "new",
    }
    assert events == []


def test_a_file_reopened_before_it_is_finished_is_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    with restoring(tmp_path) as (target, events):
        target.make_file((b"a",), node(size=3))
        # So many others that its descriptor has been closed since.
        for number in range(200):
            target.make_file((b"%d" % number,), node())
        target.write_at((b"a",), 0, b"new")
        assert (tmp_path / "a").read_text() == "older"
        target.finish_file((b"a",), node(size=3))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]
    assert events == []


def test_a_hard_link_is_to_the_new_file_or_to_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("older")
    (tmp_path / "b").write_text("older")
    with restoring(tmp_path) as (target, events):
        target.make_file((b"a",), node(size=3))
        assert target.link_file((b"a2",), (b"a",))
        target.write_at((b"a",), 0, b"new")
        target.finish_file((b"a",), node(size=3))
        target.make_file((b"b",), node(size=3))
        target.discard_file((b"b",))
        assert not target.link_file((b"b2",), (b"b",))
    assert (tmp_path / "a2").read_text() == "new"
    assert (tmp_path / "a2").samefile(tmp_path / "a")
    assert not (tmp_path / "b2").exists()
    assert [event.path for event in events if isinstance(event, ItemSkipped)] == ["b2"]


def test_a_filled_folder_in_the_place_of_a_file_is_kept_and_reported(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/precious").touch()
    (tmp_path / "empty").mkdir()
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"full",), b"x")
        put_file(target, (b"empty",), b"x")
    assert (tmp_path / "full/precious").exists()
    assert (tmp_path / "empty").read_bytes() == b"x"
    (event,) = events
    assert isinstance(event, ItemSkipped)
    assert event.path == "full"


def test_trees_two_thousand_levels_deep_work(tmp_path: Path) -> None:
    levels = 2000
    path: RelPath = tuple(b"level-%04d" % i for i in range(levels))
    with restoring(tmp_path) as (target, events):
        for depth in range(1, levels + 1):
            target.make_folder(path[:depth])
        put_file(target, (*path, b"bottom"), b"deep")
        for depth in range(levels, 0, -1):
            target.finish_folder(path[:depth], FOLDER)
    assert events == []
    opened = [os.open(tmp_path, os.O_RDONLY)]
    try:
        for name in path:
            opened.append(os.open(name, os.O_RDONLY, dir_fd=opened[-1]))
            assert os.fstat(opened[-1]).st_mtime_ns == FOLDER.mtime_ns
            if len(opened) > 2:
                os.close(opened.pop(0))
        bottom = os.open(b"bottom", os.O_RDONLY, dir_fd=opened[-1])
        opened.append(bottom)
        assert os.read(bottom, 10) == b"deep"
    finally:
        for descriptor in opened:
            os.close(descriptor)
        remove_deep(tmp_path, path)


def remove_deep(root: Path, path: RelPath) -> None:
    """Neither pytest nor shutil can remove so deep a tree: cut it in pieces first."""
    for cut in range(len(path) - 50, 0, -50):
        at = os.open(root, os.O_RDONLY)
        for name in path[: cut - 1]:
            below = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.rename(path[cut - 1], root / f"part-{cut}", src_dir_fd=at)
        os.close(at)
    for part in root.iterdir():
        shutil.rmtree(part)


def test_a_full_disk_ends_the_run_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with restoring(tmp_path) as (target, _):
        target.make_file((b"a",), node(size=1))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(TargetError, match="No space left") as caught:
            target.write_at((b"a",), 0, b"x")
    assert caught.value.hint


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError):
        TreeTarget(tmp_path / "file", emit=lambda _: None)


def test_sizes_no_file_can_have_are_reported(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, events):
        for number, size in enumerate((1 << 62, (1 << 64) - 1, -1)):
            assert not target.make_file((b"%d" % number,), node(size=size))
        assert os.listdir(tmp_path) == []
    assert len(events) == 3


def test_descriptors_are_all_closed_in_the_end(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with restoring(tmp_path) as (target, _):
        for number in range(400):
            target.make_folder((b"%d" % number,))
            target.make_file((b"%d" % number, b"x"), node())
        assert len(os.listdir("/proc/self/fd")) - before <= 300
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_socket_standing_in_the_target_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a")
    with restoring(tmp_path) as (target, events):
        put_file(target, (b"a",), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert events == []


@pytest.fixture
def without_case(tmp_path: Path) -> Iterator[Path]:
    """A file system that keeps case but does not tell names apart by it."""
    image, mounted = tmp_path / "exfat.img", tmp_path / "exfat"
    image.write_bytes(bytes(8 << 20))
    mounted.mkdir()
    tool("mkfs.exfat", str(image))
    device = tool("losetup", "--find", "--show", str(image)).strip()
    try:
        tool("mount.exfat-fuse", device, str(mounted))
        try:
            yield mounted
        finally:
            tool("umount", str(mounted))
    finally:
        tool("losetup", "--detach", device)


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{command[0]} does not work here: {done.stderr}")
    return done.stdout


@pytest.mark.root
@as_root
def test_names_that_differ_by_case_do_not_replace_each_other(without_case: Path) -> None:
    with restoring(without_case, own=False) as (target, _):
        put_file(target, (b"README",), b"first")
    with restoring(without_case, own=False) as (target, events):
        put_file(target, (b"README",), b"again")
        put_file(target, (b"readme",), b"second")
        target.make_folder((b"Docs",))
        assert not target.make_folder((b"docs",))
    assert sorted(os.listdir(without_case)) == ["Docs", "README"]
    assert (without_case / "README").read_bytes() == b"again"
    same = [e for e in events if isinstance(e, ItemSkipped) and "the same to this" in e.reason]
    assert [event.path for event in same] == ["readme", "docs"]
