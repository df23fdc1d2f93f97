"""What a mount shows, without the mount: bad sectors, circles, bounds, and failures told once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.host.mounting import Handle
from backup_agent.model.disk import Extent, FileSystem, FileSystemKind, Volume
from backup_agent.model.events import Event, ItemSkipped, ignore
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, go_mode
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.stored_file import StoredFile, section_of
from backup_agent.services import mounted_tree
from backup_agent.services.browse import PointBrowser
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.mount import Failures, ServedPoint
from backup_agent.services.mounted_tree import FolderInVolume, MountedTree
from backup_agent.services.volume_image import RawImage
from backup_agent.services.volume_in_point import VolumeInPoint
from backup_agent.services.volume_tree import VolumeTree
from tests.points import back_up, new_repository, reopen

CONTENT = random.Random(1).randbytes(3 << 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for number in range(5):
        (folder / f"{number}").mkdir(parents=True)
        (folder / f"{number}" / "file").write_bytes(b"%d" % number)
    (folder / "large").write_bytes(CONTENT)
    return folder


@pytest.fixture
def browser(folder: Path) -> Iterator[tuple[DeepBrowser, BlobReader]]:
    repository = new_repository()
    snapshot = back_up(repository, folder).snapshot
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader, DeepBrowser(reader, snapshot) as browser:
        yield browser, reader


def test_bad_sectors_fail_in_a_raw_image_and_what_lies_beside_them_reads(
    browser: tuple[DeepBrowser, BlobReader], folder: Path
) -> None:
    opened, reader = browser
    path = tuple(bytes(folder / "large").split(b"/")[1:])
    stored = StoredFile(reader, [section_of(PointBrowser(reader, opened.snapshot).find(path))])
    image = RawImage(stored, (Extent(4096, 8192),))
    assert image.read_at(0, 4096) == CONTENT[:4096]
    assert image.read_at(12288, 100) == CONTENT[12288:12388]
    for offset, size in ((4095, 2), (4096, 1), (12287, 5), (0, 1 << 20)):
        with pytest.raises(UnreadableError, match="8192 bytes from byte 4096"):
            image.read_at(offset, size)


class Circle:
    """A file system whose only folder holds itself."""

    root = Reference(2)

    def list_folder(self, _folder: Reference) -> Sequence[TreeItem]:
        kind, mode = go_mode(0o40755)
        return [TreeItem(reference=Reference(2), node=Node(name=b"again", kind=kind, mode=mode))]


def test_folder_that_holds_itself_is_entered_once(
    browser: tuple[DeepBrowser, BlobReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    described = Volume(1, 0, 1 << 20, FileSystem(FileSystemKind.EXT4))
    volume = VolumeInPoint((b"disk0", b"volume1"), described, cast(VolumeTree, Circle()))
    tree = MountedTree(*browser, emit=ignore)
    root = mounted_tree.Entry(tree._root.node, FolderInVolume(volume, Reference(2), ()))
    monkeypatch.setattr(tree, "_root", root)
    (entry,) = tree.list_folder(())
    assert entry.node.name == b"again"
    with pytest.raises(UnreadableError, match="met before"):
        tree.list_folder((b"again",))
    with pytest.raises(UnreadableError, match="met before"):
        tree.look_up((b"again",) * 3000)


def test_listings_stay_within_their_bound_and_everything_is_still_found(
    browser: tuple[DeepBrowser, BlobReader], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounted_tree, "_MOST_KEPT_ENTRIES", 8)
    tree = MountedTree(*browser, emit=ignore)
    root = tuple(bytes(folder).split(b"/")[1:])
    for _ in range(2):
        for number in range(5):
            found = tree.look_up((*root, b"%d" % number, b"file"))
            assert found is not None
            assert tree.open(found).read_at(0, 10) == b"%d" % number
    assert sum(map(len, tree._listings.values())) <= 8
    assert tree.look_up((*root, b"9")) is None
    assert tree.look_up((*root, b"large", b"below")) is None


def test_kept_blobs_stay_within_their_bound() -> None:
    kept = KeptBlobs(10)
    for number in range(5):
        kept.keep(BlobId(bytes([number]) * 32), bytes(4))
        kept.keep(BlobId(bytes([number]) * 32), bytes(4))
    assert kept.get(BlobId(b"\4" * 32)) == bytes(4)
    assert kept.get(BlobId(b"\3" * 32)) == bytes(4)
    assert kept.get(BlobId(b"\2" * 32)) is None
    kept.keep(BlobId(b"\5" * 32), bytes(99))
    assert kept.get(BlobId(b"\5" * 32)) == bytes(99)
    assert kept.get(BlobId(b"\4" * 32)) is None


def test_failure_is_told_once_however_often_it_is_met() -> None:
    told: list[Event] = []
    failures = Failures(told.append)
    for reason in ("one", "one", "other", "one"):
        failures.tell(ItemSkipped("/file", reason, "mount"))
    assert [event.reason for event in told if isinstance(event, ItemSkipped)] == ["one", "other"]
    assert failures.number == 2


def test_content_that_ends_early_is_an_error_and_not_the_end_of_the_file(
    browser: tuple[DeepBrowser, BlobReader], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short:
        def read_at(self, offset: int, size: int) -> bytes:
            return bytes(size - 1)

    told: list[Event] = []
    tree = MountedTree(*browser, emit=ignore)
    monkeypatch.setattr(tree, "open", lambda _entry: Short())
    served = ServedPoint(tree, Failures(told.append))
    handle = served.open(tuple(bytes(folder / "large").split(b"/")[1:]))
    assert handle == Handle(1)
    assert served.read(handle, len(CONTENT), 10) == b""
    with pytest.raises(OSError, match="Input/output error") as failure:
        served.read(handle, 0, 10)
    assert isinstance(failure.value.__cause__, IntegrityError)
    assert "It gave 9 bytes at 0" in str(told)
