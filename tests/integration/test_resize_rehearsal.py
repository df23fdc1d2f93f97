"""A resize on the target itself: the tools are asked before the target is touched.

A file stands in for the block device that the kernel would make out of the volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.errors import TargetTooSmallError
from backup_agent.host.api import BlockContent
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import ignore
from backup_agent.sources.disk import open_disk_source
from backup_agent.targets.disk.execute import execute_plan
from backup_agent.targets.disk.joined import JoinedReshaper
from backup_agent.targets.disk.slot import VolumeSlot
from backup_agent.targets.disk.stored import VolumeContent
from backup_agent.targets.disk.task import Wishes
from tests.helpers.disk_images import MIB, place, run_tool
from tests.helpers.fake_host import FakeHost
from tests.helpers.restored_disk import plan_disk_restore
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles
from tests.helpers.volumes import make_file_system, put_ext

SIZE = 64 * MIB
_PIECE = MIB


class DevicesAsFiles(FakeHost):
    """Its block devices are files, whose changes come through when they are done with."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.shown = 0

    def offers_block_devices(self) -> bool:
        return True

    @contextmanager
    def block_device(self, content: BlockContent) -> Iterator[str]:
        self.shown += 1
        path = self._folder / f"device{self.shown}"
        pieces = [
            Extent(start, min(_PIECE, content.size - start))
            for start in range(0, content.size, _PIECE)
        ]
        before = [content.read(piece.start, piece.size) for piece in pieces]
        path.write_bytes(b"".join(before))
        yield str(path)
        with open(path, "rb") as file:
            for piece, old in zip(pieces, before, strict=True):
                new = file.read(piece.size)
                if new != old:
                    content.write(piece.start, new)


def stored_ext(folder: Path, *features: str, claims: bytes = b"") -> CollectedDisk:
    """A file system with a large file at its end; ``claims`` is put into its number of blocks."""
    image = make_file_system(folder / "source.img", SIZE, "mkfs.ext4", "-q", *features)
    for name in ("first", "large"):
        (folder / name).write_bytes(name.encode() * (10 * MIB // 5))
        put_ext(image, folder / name, name)
    run_tool("debugfs", "-w", "-R", "rm first", image)
    place(image, 1024 + 4, claims)
    source = open_disk_source(FakeHost(), [str(image)])
    try:
        return CollectedDisk(CollectedFiles(source).files)
    finally:
        source.close()


def test_ext_that_resize2fs_does_not_shrink_is_refused_before_the_target_is_touched(
    tmp_path: Path,
) -> None:
    stored = stored_ext(tmp_path, "-O", "bigalloc")
    host = DevicesAsFiles(tmp_path)
    reshaper = JoinedReshaper(host, 512)
    (volume,) = stored.volumes
    with pytest.raises(TargetTooSmallError, match=r"resize2fs says that it needs \d+"):
        reshaper.resize(VolumeContent(stored, volume), 48 * MIB, lambda _size: None)
    assert host.shown == 1


@pytest.mark.parametrize("size", [40 * MIB, 96 * MIB], ids=["smaller", "larger"])
def test_ext_is_resized_on_its_place_after_a_rehearsal(tmp_path: Path, size: int) -> None:
    stored = stored_ext(tmp_path)
    host = DevicesAsFiles(tmp_path)
    reshaper = JoinedReshaper(host, 512)
    (volume,) = stored.volumes
    resized = reshaper.resize(VolumeContent(stored, volume), size, lambda _size: None)
    assert host.shown == 1
    target = tmp_path / "target.img"
    target.write_bytes(b"\xff" * size)
    disk = host.open_target(host.disk(str(target)))
    slot = VolumeSlot(disk, Extent(0, size), 512)
    resized.write(slot, ())
    slot.finish()
    disk.close()
    run_tool("e2fsck", "-f", "-n", target)
    run_tool("debugfs", "-R", f"dump large {tmp_path / 'back'}", target)
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_file_system_with_clusters_is_planned_neither_smaller_nor_larger(tmp_path: Path) -> None:
    stored = stored_ext(tmp_path, "-O", "bigalloc")
    target = tmp_path / "target.img"
    for size in (48 * MIB, 96 * MIB):
        with open(target, "wb") as file:
            file.truncate(size)
        if size < SIZE:
            with pytest.raises(TargetTooSmallError, match=r"Not shrunk are volume 0 \(ext4\)"):
                plan_disk_restore(stored, target)
            continue
        plan = plan_disk_restore(stored, target, wishes=Wishes(grow=True))
        assert not plan.needs_scratch
        assert any(
            "Nothing grows: resize2fs is not safe with the feature bigalloc" in note
            for note in plan.notes
        )


def test_refusal_in_a_rehearsal_leaves_the_target_untouched(tmp_path: Path) -> None:
    """A superblock that claims another size than the volume has: e2fsck stops and asks."""
    stored = stored_ext(tmp_path, claims=b"\x77\x77")
    host = DevicesAsFiles(tmp_path)
    target = tmp_path / "target.img"
    with open(target, "wb") as file:
        file.truncate(48 * MIB)
    plan = plan_disk_restore(stored, target, host=host)
    with pytest.raises(TargetTooSmallError, match="cannot be brought to"):
        execute_plan(
            plan,
            stored,
            host,
            JoinedReshaper(host, 512),
            verify=False,
            emit=ignore,
            cancel=CancelToken(),
        )
    assert host.shown == 1
    assert target.stat().st_blocks == 0
