"""Modes, times, owners, attributes and all that is neither file nor folder come back."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from backup_agent.model.events import ItemSkipped, Notice
from backup_agent.model.node import Node, NodeKind, Xattr
from tests.unit.targets.restored_tree import (
    as_nobody,
    as_root,
    node,
    put_file,
    restoring,
)


def test_access_time_comes_back(tmp_path: Path) -> None:
    with restoring(tmp_path) as (target, _):
        put_file(target, (b"a",), b"x")
        assert (tmp_path / "a").stat().st_atime_ns == 1_222_222_222_987_654_321


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
