"""Both tools on one repository: what one writes the other reads, checks and continues."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from backup_agent.repository.repository import open_repository
from backup_agent.storage.local import LocalBackend
from tests.points import back_up, below, holdings, new_repository, reopen, way_to
from tests.restic import Restic
from tests.trees import (
    Content,
    Fifo,
    File,
    Folder,
    Item,
    Link,
    plant,
    survey,
    targets_of_text,
    trees,
)

VERSIONS = pytest.mark.parametrize("version", [1, 2])
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="making devices needs root")

ODD_NAMES = [
    b"plain",
    b"with space",
    b'"quotes" and \\backslashes\\',
    b"new\nline\ttab\x01\x7f",
    b"\xff\xfe no UTF-8",
    b"cut short \xe2\x82",
    "größe, 名前, \U0001f600".encode(),
    "no\u00a0break\u2028\ufeff\u00ad".encode(),
    b"<html> & more",
    b"x" * 255,
    b"-rf",
]


def odd_tree() -> Folder:
    """A little of everything."""
    items: dict[bytes, Item] = {
        name: File(Content(n % 3, n * 1000), mtime_ns=n * 1_234_567_891)
        for n, name in enumerate(ODD_NAMES)
    }
    deep: Item = File(Content(9, 10))
    for level in range(30):
        deep = Folder({b"level %d" % level: deep})
    return Folder(
        {
            b"names": Folder(items),
            b"deep": deep,
            b"large": File(Content(4, 9_000_000), xattr=b"\x00\xff"),
            b"zeros": File(Content(0, 5 << 20)),
            b"setuid": File(Content(1, 10), mode=0o4711),
            b"sticky": Folder({}, mode=0o1777, mtime_ns=86_400 * 10**9),
            b"before 1970": File(Content(1, 3), mtime_ns=-1_500_000_000),
            b"link": Link(b"names/plain"),
            b"broken \xff link": Link(b"../no \xc3\xa4 where"),
            b"pipe": Fifo(),
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    plant(odd_tree(), bytes(folder))
    os.link(folder / "large", folder / "same file")
    with open(folder / "sparse", "wb") as file:
        file.truncate(20 << 20)
        file.seek(10 << 20)
        file.write(b"an island")
    if os.geteuid() == 0:
        os.mknod(folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(folder / "loop", stat.S_IFBLK | 0o660, os.makedev(7, 200))
        os.chown(folder / "setuid", 12345, 23456)
        os.chmod(folder / "setuid", 0o4711)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "repository"


def only_ways_were_added(place: Path, source: Path, added: set[str]) -> bool:
    """Whether new blobs are but the trees of folders above the source."""
    repository = reopen(LocalBackend(place))
    above: set[str] = set()
    for snapshot in repository.snapshots():
        above |= {tree.hex() for tree in way_to(repository, snapshot, source)[:-1]}
    return added <= above


@VERSIONS
def test_restic_checks_and_restores_what_we_saved(
    source: Path, place: Path, tmp_path: Path, version: int
) -> None:
    restic = Restic(place)
    repository = new_repository(LocalBackend(place), version=version)
    result = back_up(repository, source)

    assert result.complete
    restic.check()
    restic.restore("latest", tmp_path / "target")
    assert survey(bytes(tmp_path / "target") + bytes(source)) == survey(bytes(source))


@VERSIONS
def test_we_read_what_restic_saved(source: Path, place: Path, version: int) -> None:
    restic = Restic(place)
    restic.init(version=version)
    restic("backup", str(source))

    repository = reopen(LocalBackend(place))
    assert repository.config.version == version
    items = below(holdings(repository, repository.snapshot("latest")), source)

    seen = survey(bytes(source))
    del seen[b"."]
    assert items.keys() == seen.keys()
    for path, found in seen.items():
        node = items[path].node
        assert node.permissions == stat.S_IMODE(found.mode), path
        assert (node.uid, node.gid) == found.owner
        assert node.mtime_ns == found.mtime_ns
        assert tuple((x.name, x.value) for x in node.xattrs) == found.xattrs
        if stat.S_ISREG(found.mode):
            assert items[path].sha256 == found.content
        if stat.S_ISLNK(found.mode):
            assert node.link_target.hex() == found.content
        if found.content.isdigit():
            assert str(node.device) == found.content


@VERSIONS
def test_a_backup_on_top_of_restics_adds_no_blob(source: Path, place: Path, version: int) -> None:
    restic = Restic(place)
    restic.init(version=version)
    restic("backup", str(source))
    before = restic.blobs()

    result = back_up(reopen(LocalBackend(place)), source)

    assert result.snapshot.parent == restic.snapshot_ids()[0]
    assert result.summary.files_unmodified == result.summary.total_files_processed
    assert result.summary.data_blobs == 0
    assert only_ways_were_added(place, source, restic.blobs() - before)
    restic.check()


def test_restic_in_another_time_zone_is_a_parent_all_the_same(
    source: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restic = Restic(place)
    restic.init()
    monkeypatch.setattr("tests.restic.TIME_ZONE", "Asia/Kathmandu")
    restic("backup", str(source))

    result = back_up(reopen(LocalBackend(place)), source)

    assert result.summary.files_unmodified == result.summary.total_files_processed
    assert result.summary.data_blobs == 0


@VERSIONS
def test_a_backup_by_restic_on_top_of_ours_adds_no_blob(
    source: Path, place: Path, version: int
) -> None:
    restic = Restic(place)
    first = back_up(new_repository(LocalBackend(place), version=version), source)
    before = restic.blobs()

    restic("backup", str(source))

    (second,) = set(restic.snapshot_ids()) - {first.snapshot.id}
    assert restic.json("cat", "snapshot", second)["parent"] == first.snapshot.id
    assert only_ways_were_added(place, source, restic.blobs() - before)


def test_both_tools_take_turns(source: Path, place: Path, tmp_path: Path) -> None:
    restic = Restic(place)
    restic.init()
    states = []
    ids: list[str] = []
    for turn in range(4):
        (source / "names" / f"turn {turn}").write_bytes(Content(20 + turn, 700_000).bytes())
        (source / "large").write_bytes(Content(30 + turn, 3_000_000).bytes())
        states.append(survey(bytes(source)))
        if turn % 2:
            restic("backup", str(source))
        else:
            assert back_up(reopen(LocalBackend(place)), source).complete
        (new,) = set(restic.snapshot_ids()) - set(ids)
        ids.append(new)

    restic.check()
    for number, (point, state) in enumerate(zip(ids, states, strict=True)):
        target = tmp_path / f"target {number}"
        restic.restore(point, target)
        assert survey(bytes(target) + bytes(source)) == state
    repository = reopen(LocalBackend(place))
    for point, state in zip(ids, states, strict=True):
        items = below(holdings(repository, repository.snapshot(point)), source)
        hashes = {path: item.sha256 for path, item in items.items() if item.sha256}
        assert hashes == {p: f.content for p, f in state.items() if stat.S_ISREG(f.mode)}


def test_restic_lists_compares_tags_and_forgets_our_points(source: Path, place: Path) -> None:
    restic = Restic(place)
    repository = new_repository(LocalBackend(place))
    first = back_up(repository, source).snapshot
    (source / "new").write_text("news")
    second = back_up(repository, source).snapshot

    listed = restic("ls", first.id)
    assert f"{source}/large" in listed
    changes = [
        line for line in restic.diff(first.id, second.id) if line["message_type"] == "change"
    ]
    assert {(line["path"], line["modifier"]) for line in changes} >= {(f"{source}/new", "+")}
    restic("tag", "--add", "kept", second.id)
    restic("forget", first.id, "--prune")

    (left,) = reopen(repository.backend).snapshots()
    assert left.tags == ("kept",)
    assert left.original == second.id
    assert left.tree == second.tree
    restic.check()
    assert below(holdings(repository, left), source)[b"new"].sha256


def test_restic_copies_our_points_to_another_repository(
    source: Path, place: Path, tmp_path: Path
) -> None:
    snapshot = back_up(new_repository(LocalBackend(place)), source).snapshot
    copy = Restic(tmp_path / "copy")
    copy.init()
    password = tmp_path / "password"
    password.write_text("correct horse battery staple")

    Restic(place)("copy", "--repo2", str(copy.repository), "--password-file2", str(password))

    repository = reopen(LocalBackend(copy.repository))
    copied = repository.snapshot("latest")
    assert copied.tree == snapshot.tree
    assert holdings(repository, copied) == holdings(reopen(LocalBackend(place)), snapshot)


def test_restic_adds_a_password_that_opens_for_us(
    source: Path, place: Path, tmp_path: Path
) -> None:
    repository = new_repository(LocalBackend(place))
    password = tmp_path / "password"
    password.write_text("another")

    Restic(place)("key", "add", "--new-password-file", str(password))

    assert (
        open_repository(repository.backend, "another").master.encrypt == repository.master.encrypt
    )


@root_only
def test_a_socket_is_kept_and_does_not_trouble_restic(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        result = back_up(new_repository(LocalBackend(place)), folder)

    assert result.complete
    Restic(place).check()
    Restic(place).restore("latest", tmp_path / "target")


@given(tree=trees(links=targets_of_text()))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Shrinking would start restic hundreds of times.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_any_tree_is_the_same_to_both(tree: Folder) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        source, place = Path(temporary, "source"), Path(temporary, "repository")
        plant(tree, bytes(source))
        restic = Restic(place)
        repository = new_repository(LocalBackend(place))
        first = back_up(repository, source)
        restic("backup", str(source))

        trees_seen = {
            way_to(repository, snapshot, source)[-1]
            for snapshot in reopen(repository.backend).snapshots()
        }
        assert len(trees_seen) == 1
        restic.check()
        restic.restore(first.snapshot.id, Path(temporary, "target"))
        assert survey(os.fsencode(f"{temporary}/target{source}")) == survey(bytes(source))
