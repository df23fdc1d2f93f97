"""The process that reads a file system: asked, fed, killed, lost in circles, replaced."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError, TransientStorageError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference
from backup_agent.filesystems.files.reader_messages import OpenVolume
from backup_agent.host.command import Conversation
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.services.volume_tree import HitFiles, VolumeTree
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import harvest, make_empty, survey

CONTENT = random.Random(1).randbytes(MIB + 5)


class Image:
    """A volume in memory; ``fail_at`` is a byte that cannot be had, for the reason ``failure``."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fail_at = -1
        self.failure: Exception = IntegrityError("Blob 12345678 is damaged.")

    def read_at(self, offset: int, size: int) -> bytes:
        if offset <= self.fail_at < offset + size:
            raise self.failure
        return self.data[offset : offset + size]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "within").mkdir(parents=True)
    (folder / "file").write_bytes(CONTENT)
    (folder / "within" / "other").write_bytes(b"other")
    return folder


@pytest.fixture
def image(tmp_path: Path, folder: Path) -> Image:
    command = ("mkfs.ext4", "-q", "-O", "^has_journal", "-d", str(folder))
    return Image(make_empty(tmp_path / "volume", 8 * MIB, *command).read_bytes())


def opening(image: Image, kind: FileSystemKind = FileSystemKind.EXT4) -> OpenVolume:
    return OpenVolume(kind, len(image.data), (), (), (1000, 1001))


@pytest.fixture
def tree(image: Image) -> Iterator[VolumeTree]:
    with VolumeTree(image, opening(image)) as tree:
        yield tree


def file_in(tree: VolumeTree, name: bytes) -> Reference:
    return next(i.reference for i in tree.list_folder(tree.root) if i.node.name == name)


def program(source: str) -> Callable[[], Conversation]:
    """A reader that is none."""
    return lambda: Conversation(
        [sys.executable, "-c", source], environment={}, largest_message=1 << 20
    )


def test_files_come_through_the_pipe_as_they_are(tree: VolumeTree, folder: Path) -> None:
    in_volume = harvest(tree)
    truth = survey(folder)
    assert {p: k.content for p, k in in_volume.items() if p != b"/lost+found"} == {
        path: known.content for path, known in truth.items()
    }


def test_damaged_blob_is_told_as_what_it_is_and_other_files_are_still_read(
    tree: VolumeTree, image: Image
) -> None:
    file, within = file_in(tree, b"file"), file_in(tree, b"within")
    image.fail_at = image.data.index(CONTENT[MIB // 2 : MIB // 2 + 100])
    with pytest.raises(IntegrityError, match="12345678"):
        tree.read_at(file, 0, len(CONTENT))
    (other,) = tree.list_folder(within)
    assert tree.read_at(other.reference, 0, 100) == b"other"
    image.fail_at = -1
    assert tree.read_at(file, 0, len(CONTENT)) == CONTENT


def test_storage_that_fails_is_told_and_the_next_request_starts_anew(
    tree: VolumeTree, image: Image
) -> None:
    file = file_in(tree, b"file")
    image.fail_at = image.data.index(CONTENT[MIB // 2 : MIB // 2 + 100])
    image.failure = TransientStorageError("The network is gone.")
    with pytest.raises(TransientStorageError):
        tree.read_at(file, 0, len(CONTENT))
    image.fail_at = -1
    assert tree.read_at(file, 0, len(CONTENT)) == CONTENT


def test_reader_that_dies_costs_one_request(image: Image) -> None:
    readers: list[Conversation] = []

    def start() -> Conversation:
        from backup_agent.services import volume_tree

        readers.append(volume_tree._start_reader())
        return readers[-1]

    with VolumeTree(image, opening(image), start=start) as tree:
        file = file_in(tree, b"file")
        os.kill(readers[0]._process.pid, signal.SIGKILL)
        with pytest.raises(UnreadableError, match="SIGKILL"):
            tree.read_at(file, 0, 10)
        assert tree.read_at(file, 0, 10) == CONTENT[:10]
    assert [reader._process.returncode for reader in readers] == [-signal.SIGKILL] * 2


def test_reader_that_runs_in_circles_is_ended_by_the_system(image: Image) -> None:
    source = (
        "import resource\n"
        "from backup_agent.filesystems.files import reader_process\n"
        "reader_process._CPU_SECONDS = 1\n"
        "reader_process._limit_cpu_from_here()\n"
        "while True: pass\n"
    )
    with (
        VolumeTree(image, opening(image), start=program(source)) as tree,
        pytest.raises(UnreadableError, match="too long"),
    ):
        tree.list_folder(Reference(2))


def test_reader_that_takes_all_memory_is_refused_it(image: Image) -> None:
    source = (
        "from backup_agent.filesystems.files import reader_process as r\n"
        "r.open_tree = lambda *a, **k: bytes(1 << 40)\n"
        "r.main()\n"
    )
    with (
        VolumeTree(image, opening(image), start=program(source)) as tree,
        pytest.raises(UnreadableError, match="memory"),
    ):
        tree.list_folder(Reference(2))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("pass", r"ended by itself"),
        ("import os; os.write(1, b'\\xff' * 100)", "at once"),
        ("import os; os.write(1, b'\\4\\0\\0\\0junk'); os.read(0, 9); os.read(0, 9)", "reader"),
    ],
)
def test_reader_that_talks_nonsense_ends_as_an_error(image: Image, source: str, words: str) -> None:
    with (
        VolumeTree(image, opening(image), start=program(source)) as tree,
        pytest.raises(UnreadableError, match=words),
    ):
        tree.list_folder(Reference(2))


def test_mistake_of_the_reader_is_told_with_its_place_beside_the_words(image: Image) -> None:
    source = (
        "from backup_agent.filesystems.files import reader_process as r\n"
        "r.open_tree = lambda *a, **k: {}['\\nsecret']\n"
        "r.main()\n"
    )
    with (
        VolumeTree(image, opening(image), start=program(source)) as tree,
        pytest.raises(UnreadableError, match="makes no sense") as caught,
    ):
        tree.list_folder(Reference(2))
    assert "please report KeyError at <string>:2" in caught.value.hint
    assert "secret" not in caught.value.hint


def test_hit_files_are_found_though_a_folder_is_lost(tree: VolumeTree, image: Image) -> None:
    place = image.data.index(CONTENT[4096:8192])
    assert tree.hit_files([Extent(place, 1)]) == HitFiles((b"/file",), is_complete=True)
    within = image.data.index(b"\x05\x01other")
    image.fail_at = within
    # What was read before is kept by the reader that read it.
    with VolumeTree(image, opening(image)) as fresh:
        assert fresh.hit_files([Extent(place, 1)]) == HitFiles((b"/file",), is_complete=False)
        image.fail_at = -1
        assert fresh.hit_files([Extent(place, 1)]).is_complete


def test_volume_of_another_kind_is_an_error_each_time_it_is_asked(image: Image) -> None:
    for kind in (FileSystemKind.NTFS, FileSystemKind.EXFAT, FileSystemKind.FAT32):
        with VolumeTree(image, opening(image, kind)) as tree:
            for _ in range(2):
                with pytest.raises(UnreadableError):
                    tree.list_folder(Reference(0))


def test_reader_ends_with_its_tree(image: Image) -> None:
    readers: list[Conversation] = []

    def start() -> Conversation:
        from backup_agent.services import volume_tree

        readers.append(volume_tree._start_reader())
        return readers[-1]

    with VolumeTree(image, opening(image), start=start) as tree:
        assert tree.root == 2
    assert readers[0]._process.returncode is not None
