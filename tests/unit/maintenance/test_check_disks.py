"""A check of disk restore points: every part, every area, every file system; and at what cost."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from backup_agent.errors import JobCancelledError
from backup_agent.format.pack import BlobKind
from backup_agent.host.command import Conversation
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.model.events import Event, Progress, ignore
from backup_agent.model.finding import Severity
from backup_agent.model.node import Node
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import EVERYTHING, PackSubset
from backup_agent.repository.check import CheckReport
from backup_agent.repository.index import BlobPlace
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services import volume_tree
from backup_agent.services.browse import PointBrowser, parse_path
from backup_agent.services.check import run_check
from backup_agent.sources.disk import open_disk_source
from backup_agent.storage.backend import FileKind, ObjectKey
from tests.helpers.disk_images import MIB, make_disk, make_volume, place
from tests.helpers.fake_host import FakeHost
from tests.helpers.rewritten_point import Rewriting
from tests.points import back_up, new_repository, reopen
from tests.unit.maintenance.workshop import flip_bit

LAYOUT = "label: gpt\nstart=1MiB, size=16MiB\nstart=17MiB, size=4MiB\nstart=21MiB, size=2MiB\n"
FIRST = "/disks/0/volumes/1"
Change = Callable[[Rewriting, Node], Node | None]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ext4 volume with much in it, a FAT one, and one of noise."""
    scratch = tmp_path_factory.mktemp("disk")
    (scratch / "folder").mkdir()
    (scratch / "folder" / "large").write_bytes(random.Random(1).randbytes(10 * MIB))
    disk = make_disk(scratch / "disk.img", 24 * MIB, LAYOUT)
    ext = ["mkfs.ext4", "-q", "-O", "^has_journal", "-d", str(scratch / "folder")]
    place(disk, MIB, make_volume(scratch / "ext", 16 * MIB, ext))
    place(disk, 17 * MIB, make_volume(scratch / "fat", 4 * MIB, ["mkfs.fat"]))
    place(disk, 21 * MIB, random.Random(2).randbytes(2 * MIB))
    return disk


def save(repository: Repository, image: Path, host: FakeHost | None = None) -> Snapshot:
    source = open_disk_source(host or FakeHost(), [str(image)], part_size=4 * MIB)
    try:
        return back_up(repository, source).snapshot
    finally:
        source.close()


@pytest.fixture
def saved(image: Path) -> tuple[Repository, Snapshot]:
    repository = new_repository()
    return repository, save(repository, image)


def check(repository: Repository, *, read_data: PackSubset | None = None) -> CheckReport:
    return run_check(
        reopen(repository.backend), read_data=read_data, emit=ignore, cancel=CancelToken()
    )


def changed(saved: tuple[Repository, Snapshot], path: str, change: Change) -> CheckReport:
    """What a check says beside a restore point with that change."""
    repository, snapshot = saved
    rewriting = Rewriting(reopen(repository.backend), snapshot)
    rewriting.commit(path, lambda node: change(rewriting, node))
    return check(repository)


def describing(**fields: object) -> Change:
    """A JSON file with other values in it."""

    def change(rewriting: Rewriting, node: Node) -> Node:
        content = json.loads(rewriting.read(node)) | fields
        return rewriting.containing(node, json.dumps(content).encode())

    return change


def gone(_rewriting: Rewriting, _node: Node) -> None:
    return None


def half(rewriting: Rewriting, node: Node) -> Node:
    content = rewriting.read(node)
    return rewriting.containing(node, content[: len(content) // 2])


def empty(_rewriting: Rewriting, node: Node) -> Node:
    return structs.replace(node, size=0, content=())


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Conversation]]:
    """Every process that was started to read a file system."""
    started: list[Conversation] = []
    start = volume_tree._start_reader

    def count() -> Conversation:
        started.append(start())
        return started[-1]

    monkeypatch.setattr(volume_tree, "_start_reader", count)
    return iter([started])


def test_check_tells_which_volume_it_looks_at_and_ends_between_two(
    saved: tuple[Repository, Snapshot],
) -> None:
    repository, snapshot = saved
    cancel = CancelToken()
    told: list[Progress] = []

    def listen(event: Event) -> None:
        if isinstance(event, Progress) and event.phase == "check disks":
            told.append(event)
            if event.current.endswith("volume2"):
                cancel.cancel()

    with pytest.raises(JobCancelledError):
        run_check(reopen(repository.backend), emit=listen, cancel=cancel)
    assert [event.current for event in told] == [
        f"{snapshot.short_id}/disk0/volume1",
        f"{snapshot.short_id}/disk0/volume2",
    ]
    assert {(event.files_done, event.files_total) for event in told} == {(0, 1)}


def test_whole_disk_is_whole_and_its_file_systems_open(
    saved: tuple[Repository, Snapshot],
) -> None:
    report = check(saved[0])
    assert report.findings == ()
    (point,) = report.disk_points
    assert (point.snapshot.id, point.disks, point.whole) == (saved[1].id, 1, True)
    assert [(v.path, v.file_system, v.opens) for v in point.volumes] == [
        ("disk0/volume1", FileSystemKind.EXT4, True),
        ("disk0/volume2", FileSystemKind.FAT12, True),
        ("disk0/volume3", FileSystemKind.UNKNOWN, None),
    ]


@pytest.mark.parametrize(
    ("path", "change", "where", "words"),
    [
        (f"{FIRST}/image/0001/part", gone, "disk0, volume1", "has no"),
        (f"{FIRST}/image/0001", gone, "disk0, volume1", "has no"),
        (f"{FIRST}/image/0003/part", half, "disk0, volume1", "part 3 has 2097152 bytes"),
        (f"{FIRST}/image/0000/part", empty, "disk0, volume1", "part 0 has 0 bytes"),
        (f"{FIRST}/volume.json", half, "disk0, volume1", "volume.json cannot be read"),
        (f"{FIRST}/volume.json", gone, "disk0, volume1", "has no"),
        (f"{FIRST}/volume.json", describing(version=9), "disk0, volume1", "version 9"),
        (f"{FIRST}/volume.json", describing(size=12 * MIB), "disk0, volume1", "layout.json of"),
        (f"{FIRST}/volume.json", describing(size=1 << 50), "disk0, volume1", "layout.json of"),
        (f"{FIRST}/volume.json", describing(start=0), "disk0, volume1", "at 0"),
        (f"{FIRST}/volume.json", describing(number=2), "disk0, volume1", "describes volume 2"),
        (f"{FIRST}/volume.json", describing(file_system="ntfs"), "disk0, volume1", "not open"),
        ("/disks/0/volumes/3", gone, "disk0, volume3", "has no"),
        ("/disks/0/layout.json", half, "disk0", "layout.json cannot be read"),
        ("/disks/0/layout.json", gone, "disk0", "layout.json"),
        ("/disks/0/layout.json", describing(areas=[]), "disk0", "no image of the disk's head"),
        ("/disks/0/layout.json", describing(partitions=[]), "disk0", "no partition has room"),
        ("/disks/0/head.img", gone, "disk0", "head.img"),
        ("/disks/0/tail.img", half, "disk0", "tail.img has"),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_an_error_with_its_place(
    saved: tuple[Repository, Snapshot], path: str, change: Change, where: str, words: str
) -> None:
    report = changed(saved, path, change)
    whole, broken = report.disk_points
    assert (whole.whole, broken.whole) == (True, False)
    errors = [finding.message for finding in broken.findings]
    assert any(f"{broken.snapshot.short_id}, {where}: " in e and words in e for e in errors), errors
    assert set(broken.findings) <= set(report.errors)


def test_file_system_that_was_damaged_on_the_disk_is_a_hint(tmp_path: Path) -> None:
    """The backup is what the disk was: nothing is lost that there was."""
    disk = make_disk(tmp_path / "disk.img", 24 * MIB, LAYOUT)
    ext = bytearray(make_volume(tmp_path / "ext", 16 * MIB, ["mkfs.ext4", "-q", "-b", "4096"]))
    # The first group's descriptor, of where its tables stand.
    ext[4096:4128] = b"\xff" * 32
    place(disk, MIB, bytes(ext))
    repository = new_repository()
    save(repository, disk)
    report = check(repository)
    (finding,) = report.findings
    assert finding.severity is Severity.HINT
    assert "was damaged when it was backed up" in finding.message
    assert report.disk_points[0].volumes[0].opens is False


def test_file_system_that_the_backup_remarked_on_is_a_hint(tmp_path: Path) -> None:
    """Its bitmap was whole, so that there is a number of used bytes; its root was not."""
    disk = make_disk(tmp_path / "disk.img", 24 * MIB, LAYOUT)
    volume = make_volume(tmp_path / "ntfs", 16 * MIB, ["mkntfs", "-Q", "-F"])
    lists_start = int.from_bytes(volume[48:56], "little") * 4096
    root = lists_start + 5 * 1024
    place(disk, MIB, volume[:root] + bytes(1024) + volume[root + 1024 :])
    repository = new_repository()
    save(repository, disk)
    report = check(repository)
    (finding,) = report.findings
    assert finding.severity is Severity.HINT
    assert "was damaged when it was backed up" in finding.message
    (point,) = report.disk_points
    assert (point.undamaged, point.whole, point.volumes[0].opens) == (True, False, False)


def test_torn_record_of_a_root_folder_is_told(tmp_path: Path) -> None:
    """The folder can be listed all the same."""
    disk = make_disk(tmp_path / "disk.img", 24 * MIB, LAYOUT)
    volume = bytearray(make_volume(tmp_path / "ntfs", 16 * MIB, ["mkntfs", "-Q", "-F"]))
    lists_start = int.from_bytes(volume[48:56], "little") * 4096
    volume[lists_start + 5 * 1024 + 1022] ^= 0xFF
    place(disk, MIB, bytes(volume))
    repository = new_repository()
    save(repository, disk)
    report = check(repository)
    (finding,) = report.findings
    assert finding.severity is Severity.HINT
    assert "root folder of its ntfs file system was damaged when it was" in finding.message


def test_point_with_bad_sectors_is_not_whole_and_no_error(tmp_path: Path, image: Path) -> None:
    repository = new_repository()
    save(repository, image, FakeHost(bad=[Extent(22 * MIB, 8192), Extent(8192, 512)]))
    report = check(repository)
    (point,) = report.disk_points
    assert (point.whole, point.complete, point.undamaged) == (False, False, True)
    assert {finding.severity for finding in point.findings} == {Severity.HINT}
    assert report.errors == ()
    volume, beside = (finding.message for finding in point.findings)
    assert "disk0: volume 3 (unknown) is INCOMPLETE, 8192 bytes of it are missing" in volume
    assert "the disk beside its volumes is INCOMPLETE" in beside


def blob_around(saved: tuple[Repository, Snapshot], path: str, offset: int) -> BlobPlace:
    """Where the blob lies that holds that byte of a stored file."""
    repository, snapshot = saved
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        browser = PointBrowser(reader, snapshot)
        for blob, size in browser.blobs(browser.find(parse_path(path))):
            if offset < size:
                found = fresh.index.find(BlobKind.DATA, blob)
                assert found is not None
                return found
            offset -= size
    raise AssertionError(f"{path} ends before")


def test_missing_pack_makes_the_points_that_need_it_not_whole(
    saved: tuple[Repository, Snapshot], image: Path
) -> None:
    repository, _ = saved
    save(repository, image)
    found = blob_around(saved, f"{FIRST}/image/0001/part", 2 * MIB)
    repository.backend.remove(ObjectKey(FileKind.PACK, found.pack))
    report = check(repository)
    assert [point.whole for point in report.disk_points] == [False, False]
    for point in report.disk_points:
        assert any("disk0" in finding.message for finding in point.findings)
        assert set(point.findings) <= set(report.errors)


def test_bit_flipped_in_a_disk_is_followed_to_its_file(
    saved: tuple[Repository, Snapshot],
) -> None:
    repository, snapshot = saved
    found = blob_around(saved, f"{FIRST}/image/0001/part", 2 * MIB)
    key = ObjectKey(FileKind.PACK, found.pack)
    flip_bit(repository.backend, key, found.blob.offset + 40)
    report = check(repository, read_data=EVERYTHING)
    (point,) = report.disk_points
    assert not point.whole
    (finding,) = point.findings
    assert f"{snapshot.short_id}, disk0, volume1: 1048576 bytes (from byte 6291456" in (
        finding.message
    )
    assert finding.message.endswith("That hits /large.")
    assert finding.severity is Severity.ERROR


def test_without_its_layout_a_disks_parts_are_named_one_by_one(
    saved: tuple[Repository, Snapshot],
) -> None:
    for path, offset in (("/disks/0/layout.json", 0), (f"{FIRST}/image/0001/part", 2 * MIB)):
        found = blob_around(saved, path, offset)
        key = ObjectKey(FileKind.PACK, found.pack)
        flip_bit(saved[0].backend, key, found.blob.offset + 10)
    report = check(saved[0], read_data=EVERYTHING)
    (point,) = report.disk_points
    assert (point.disks, point.unknown, point.whole) == (0, 1, False)
    told = " ".join(finding.message for finding in point.findings)
    assert "/disks/0/layout.json" in told
    assert "/disks/0/volumes/1/image/0001/part" in told
    assert "/disks/0/volumes/2" not in told


def test_point_whose_root_is_lost_is_said_to_be_lost(saved: tuple[Repository, Snapshot]) -> None:
    repository, snapshot = saved
    fresh = reopen(repository.backend)
    fresh.load_index()
    root = fresh.index.find(BlobKind.TREE, snapshot.tree)
    assert root is not None
    flip_bit(repository.backend, ObjectKey(FileKind.PACK, root.pack), root.blob.offset + 10)
    messages = [finding.message for finding in check(repository, read_data=EVERYTHING).errors]
    assert any(f"restore point {snapshot.short_id} is lost" in words for words in messages)
    assert not any("can be restored" in words for words in messages)


def test_lost_head_of_a_disk_makes_its_point_not_whole(
    saved: tuple[Repository, Snapshot],
) -> None:
    found = blob_around(saved, "/disks/0/head.img", 0)
    key = ObjectKey(FileKind.PACK, found.pack)
    flip_bit(saved[0].backend, key, found.blob.offset + 40)
    (point,) = check(saved[0], read_data=EVERYTHING).disk_points
    assert not point.whole
    assert any("of head.img are missing or damaged" in f.message for f in point.findings)


def test_damaged_blob_that_a_file_system_needs_is_an_error_of_its_volume(
    saved: tuple[Repository, Snapshot],
) -> None:
    repository, _ = saved
    found = blob_around(saved, f"{FIRST}/image/0000/part", 0)
    key = ObjectKey(FileKind.PACK, found.pack)
    flip_bit(repository.backend, key, found.blob.offset + 40)
    (point,) = check(repository).disk_points
    assert [volume.opens for volume in point.volumes] == [False, True, None]
    (finding,) = point.findings
    assert "disk0, volume1: Its ext4 file system does not open: Blob" in finding.message


def test_volume_that_points_share_is_opened_once(
    saved: tuple[Repository, Snapshot], image: Path, readers: Iterator[list[Conversation]]
) -> None:
    repository, _ = saved
    save(repository, image)
    started = next(readers)
    report = check(repository)
    assert [len(point.volumes) for point in report.disk_points] == [3, 3]
    assert all(point.whole for point in report.disk_points)
    assert len(started) == 2


def test_structure_is_checked_without_reading_what_files_hold(
    saved: tuple[Repository, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, _ = saved
    backend = repository.backend
    read: list[int] = []
    load = type(backend).load

    def counting(self: object, key: ObjectKey, *place: int) -> bytes:
        data = load(self, key, *place)  # type: ignore[arg-type] # the class it was taken from
        read.append(len(data) if key.kind is FileKind.PACK else 0)
        return data

    monkeypatch.setattr(type(backend), "load", counting)
    assert check(repository).findings == ()
    assert sum(read) < 3 * MIB
