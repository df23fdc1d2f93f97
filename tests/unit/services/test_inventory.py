"""Disks as they are shown: what is used, where it is mounted, and what would be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from backup_agent.services import inventory
from backup_agent.services.inventory import DiskView, inspect_disks
from tests.helpers.disk_images import MIB, make_disk, make_volume, place
from tests.helpers.fake_host import FakeHost

LAYOUT = "label: gpt\nstart=1MiB, size=16MiB, name=Data\nstart=17MiB, size=2MiB\n"


class Computer(FakeHost):
    """One whose second partition is in use where the disk is."""

    def volume_mounts(self, path: str, number: int) -> Sequence[str]:
        return self.mounts(path) if number == 2 else ()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    disk = make_disk(tmp_path / "disk.img", 20 * MIB, LAYOUT)
    ext = make_volume(tmp_path / "ext", 16 * MIB, ["mkfs.ext4", "-q", "-L", "Papers"])
    place(disk, MIB, ext)
    return disk


def look(
    monkeypatch: pytest.MonkeyPatch,
    image: Path,
    *,
    mounted: Mapping[str, Sequence[str]] | None = None,
    repository: str = "",
) -> DiskView:
    monkeypatch.setattr(inventory, "current_host", lambda: Computer(mounted=mounted))
    (view,) = inspect_disks([str(image)], repository=repository)
    return view


def test_volumes_show_what_is_used_and_what_is_recognised(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    before = image.read_bytes()
    view = look(monkeypatch, image)
    first, second = (seen.volume for seen in view.volumes)
    assert (first.file_system.kind, first.file_system.label) == ("ext4", "Papers")
    assert first.used_bytes is not None
    assert 0 < first.used_bytes < 16 * MIB
    assert second.used_bytes is None
    assert (view.problem, view.backup_refused, view.restore_refused) == ("", "", "")
    assert image.read_bytes() == before


def test_disk_in_use_tells_where_and_what_that_forbids(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    view = look(monkeypatch, image, mounted={str(image): ["/srv"]})
    assert [volume.mounts for volume in view.volumes] == [(), ("/srv",)]
    assert "--allow-mounted" in view.backup_refused
    assert "in use (/srv)" in view.restore_refused


def test_disk_of_the_running_system_is_no_target(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    view = look(monkeypatch, image, mounted={str(image): ["/"]})
    assert "running system" in view.restore_refused


def test_image_inside_the_repository_is_no_target(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    view = look(monkeypatch, image, repository=str(image.parent))
    assert "inside the repository" in view.restore_refused


def test_account_of_space_that_is_broken_is_told(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    place(image, MIB + 2048, b"\xff" * 64)
    place(image, MIB + 4096, b"\xff" * 64)
    view = look(monkeypatch, image)
    assert view.volumes[0].volume.used_bytes is None
    assert "All of this ext4 volume is stored" in str(view.volumes[0].volume.remarks)


def test_disk_with_a_table_that_cannot_be_true_is_shown_as_a_whole_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    with open(image, "r+b") as file:
        file.truncate(3 * MIB)
    view = look(monkeypatch, image)
    assert view.layout is not None
    (flaw,) = view.layout.table.flaws
    assert "behind the disk's end" in flaw
    assert [(v.volume.number, v.volume.size) for v in view.volumes] == [(0, 3 * MIB)]
    assert view.backup_refused == ""


def test_file_that_is_too_small_to_be_a_disk_is_shown_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    image.write_bytes(b"x")
    view = look(monkeypatch, image)
    assert view.layout is None
    assert view.problem == view.backup_refused != ""
