"""Linux's disks and their use: captured ``lsblk`` output, made-up ``/sys`` and ``/proc``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError, SourceError
from backup_agent.host.linux import usage
from backup_agent.host.linux.host import LinuxHost
from backup_agent.host.linux.lsblk import lasting_name, parse_lsblk, parse_whole_disks
from backup_agent.host.linux.usage import DiskUsage
from backup_agent.model.disk import Disk


def device(path: str, kind: str = "disk", size: int = 1 << 40, **more: object) -> dict[str, object]:
    return {
        "path": path,
        "name": path.removeprefix("/dev/"),
        "type": kind,
        "size": size,
        "log-sec": 512,
        "phy-sec": 4096,
        "model": None,
        "serial": None,
        "tran": None,
        "rm": False,
        "ro": False,
        **more,
    }


LSBLK = json.dumps(
    {
        "blockdevices": [
            device("/dev/sdb", tran="usb", rm=True, model="Stick           "),
            device("/dev/loop0", "loop"),
            device("/dev/zram0"),
            device("/dev/sr0", "rom"),
            device("/dev/sdc", size=0),
            device("/dev/nvme0n1", model="Fast One", serial="S123", tran="nvme", ro=True),
        ]
    }
).encode()


def test_disks_are_what_a_person_calls_disks() -> None:
    assert parse_whole_disks(LSBLK, identify=lambda path: f"id of {path}") == [
        Disk(
            path="/dev/nvme0n1",
            identity="id of /dev/nvme0n1",
            size=1 << 40,
            sector_size=512,
            physical_sector_size=4096,
            model="Fast One",
            serial="S123",
            transport="nvme",
            read_only=True,
        ),
        Disk(
            path="/dev/sdb",
            identity="id of /dev/sdb",
            size=1 << 40,
            sector_size=512,
            physical_sector_size=4096,
            model="Stick",
            transport="usb",
            removable=True,
        ),
    ]


def test_a_named_device_may_be_of_any_type() -> None:
    assert [disk.path for disk in parse_lsblk(LSBLK, identify=str)][1] == "/dev/loop0"


@pytest.mark.parametrize("output", [b"", b"lsblk: sorry", b'{"blockdevices": [{"path": 1}]}'])
def test_lsblk_that_answers_something_else_is_an_error(output: bytes) -> None:
    with pytest.raises(CommandFailedError, match="not understood"):
        parse_whole_disks(output, identify=str)


def test_lasting_name_prefers_model_and_serial(tmp_path: Path) -> None:
    disk = tmp_path / "sda"
    disk.touch()
    (tmp_path / "sdb").touch()
    links = [tmp_path / name for name in ("wwn-0x5", "ata-Disk_S1", "ata-Other_S2")]
    links[0].symlink_to(disk)
    links[1].symlink_to(disk)
    links[2].symlink_to(tmp_path / "sdb")
    assert lasting_name(str(disk), links) == str(links[1])
    assert lasting_name(str(disk), links[:1]) == str(links[0])
    assert lasting_name(str(disk), links[2:]) == str(disk)


class MadeUpSystem:
    """A ``/sys`` and ``/proc`` below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mounts: list[str] = []
        self._block = root / "sys/block"
        (root / "sys/dev/block").mkdir(parents=True)
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/swaps").write_text("Filename\tType\tSize\tUsed\tPriority\n")
        self._write()

    def add(self, name: str, number: str, *, inside: str = "") -> Path:
        folder = self._block / inside / name
        folder.mkdir(parents=True)
        (folder / "dev").write_text(f"{number}\n")
        if inside:
            (folder / "partition").write_text(f"{name[-1]}\n")
        (self.root / "sys/dev/block" / number).symlink_to(folder)
        return folder

    def loop(self, name: str, number: str, backing: str, *, sectors: range = range(8192)) -> None:
        folder = self.add(name, number)
        (folder / "loop").mkdir()
        (folder / "loop/backing_file").write_text(f"{backing}\n")
        (folder / "loop/offset").write_text(f"{sectors.start * 512}\n")
        (folder / "size").write_text(f"{len(sectors)}\n")

    def divide(self, loop: str, number: str, partition: int, sectors: range) -> None:
        folder = self.add(f"{loop}p{partition}", number, inside=loop)
        (folder / "start").write_text(f"{sectors.start}\n")
        (folder / "size").write_text(f"{len(sectors)}\n")

    def mount(self, number: str, source: str, place: str) -> None:
        self._mounts.append(f"36 35 {number} / {place} rw,noatime shared:1 - ext4 {source} rw")
        self._write()

    def _write(self) -> None:
        lines = "".join(f"{line}\n" for line in self._mounts)
        (self.root / "proc/self/mountinfo").write_text(lines)


@pytest.fixture
def system(tmp_path: Path) -> MadeUpSystem:
    made = MadeUpSystem(tmp_path)
    made.add("sda", "8:0")
    made.add("sda1", "8:1", inside="sda")
    made.add("sda2", "8:2", inside="sda")
    made.add("sdb", "8:16")
    return made


def test_disk_is_in_use_where_a_partition_is_mounted(system: MadeUpSystem) -> None:
    system.mount("8:1", "none", "/boot")
    system.mount("8:2", "none", r"/srv/two\040words")
    assert DiskUsage(system.root).of_device("8:0") == ["/boot", "/srv/two words"]
    assert DiskUsage(system.root).of_device("8:16") == []


def test_partition_knows_the_disk_around_it(system: MadeUpSystem) -> None:
    system.add("cciss!c0d0", "104:0")
    system.add("cciss!c0d0p1", "104:1", inside="cciss!c0d0")
    used = DiskUsage(system.root)
    assert [used.disk_around(number) for number in ("8:0", "8:2", "104:1", "9:9")] == [
        None,
        "/dev/sda",
        "/dev/cciss/c0d0",
        None,
    ]


def test_use_is_told_of_each_partition(system: MadeUpSystem) -> None:
    system.mount("8:2", "none", "/srv")
    used = DiskUsage(system.root)
    assert [used.of_partition("8:0", number) for number in (1, 2, 3)] == [[], ["/srv"], []]
    system.loop("loop0", "7:0", "/images/disk.img")
    system.add("loop0p3", "259:0", inside="loop0")
    system.mount("259:0", "none", "/mnt")
    image = Path("/images/disk.img")
    assert [used.of_image_partition(image, number) for number in (2, 3)] == [[], ["/mnt"]]
    assert used.of_image_partition(Path("/images/other.img"), 3) == []


def test_partition_is_not_in_use_where_its_neighbour_is(system: MadeUpSystem) -> None:
    system.mount("8:1", "none", "/boot")
    assert DiskUsage(system.root).of_device("8:2") == []


def test_disk_is_in_use_where_a_volume_built_on_it_is_mounted(system: MadeUpSystem) -> None:
    mapper = system.add("dm-0", "253:0")
    holders = system.root / "sys/block/sda/sda2/holders"
    holders.mkdir()
    (holders / "dm-0").symlink_to(mapper)
    system.mount("253:0", "none", "/")
    assert DiskUsage(system.root).of_device("8:0") == ["/"]


def test_disk_is_in_use_where_the_mount_shows_only_its_path(
    system: MadeUpSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "device_number", {"/dev/sda2": "8:2"}.__getitem__)
    system.mount("0:35", "/dev/sda2", "/data")
    assert DiskUsage(system.root).of_device("8:0") == ["/data"]


def test_disk_is_in_use_where_a_partition_is_swapped_to(
    system: MadeUpSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "device_number", {"/dev/sda2": "8:2"}.__getitem__)
    with open(system.root / "proc/swaps", "a") as file:
        file.write("/dev/sda2 partition 1000 0 -2\n")
    assert DiskUsage(system.root).of_device("8:0") == ["[swap]"]


def test_image_is_in_use_where_its_loop_device_is_mounted(system: MadeUpSystem) -> None:
    system.loop("loop0", "7:0", "/images/disk.img")
    system.add("loop0p1", "259:0", inside="loop0")
    system.mount("259:0", "none", "/mnt")
    assert DiskUsage(system.root).of_image(Path("/images/disk.img")) == ["/mnt"]
    assert DiskUsage(system.root).of_image(Path("/images/other.img")) == []


def test_loop_device_is_in_use_where_another_one_over_the_same_file_is_mounted(
    system: MadeUpSystem, tmp_path: Path
) -> None:
    image, name = tmp_path / "disk.img", tmp_path / "name.img"
    image.write_bytes(b"")
    name.hardlink_to(image)
    system.loop("loop0", "7:0", str(image))
    system.loop("loop1", "7:1", str(name), sectors=range(2048, 4096))
    system.loop("loop2", "7:2", "/images/other.img")
    system.mount("7:1", "/dev/loop1", "/mnt")
    used = DiskUsage(system.root)
    assert (used.of_device("7:0"), used.of_device("7:2")) == (["/mnt"], [])
    assert used.of_image(image) == used.of_image(name) == ["/mnt"]
    assert used.attached_as(name) == ["/dev/loop0", "/dev/loop1"]


def test_bytes_of_a_file_are_in_use_only_where_a_mounted_device_shows_them(
    system: MadeUpSystem,
) -> None:
    system.loop("loop0", "7:0", "/images/disk.img")
    system.divide("loop0", "259:1", 1, range(2048, 4096))
    system.divide("loop0", "259:2", 2, range(4096, 8192))
    system.loop("loop1", "7:1", "/images/disk.img", sectors=range(2048, 4096))
    system.loop("loop2", "7:2", "/images/disk.img", sectors=range(4096, 8192))
    system.mount("7:1", "none", "/first")
    used = DiskUsage(system.root)
    in_use = {n: used.of_device(n) for n in ("7:0", "259:1", "259:2", "7:1", "7:2")}
    assert in_use == {
        "7:0": ["/first"],
        "259:1": ["/first"],
        "259:2": [],
        "7:1": ["/first"],
        "7:2": [],
    }
    assert (used.of_partition("7:0", 1), used.of_partition("7:0", 2)) == (["/first"], [])


def test_loop_device_is_in_use_where_a_volume_built_on_another_one_is_mounted(
    system: MadeUpSystem,
) -> None:
    system.loop("loop0", "7:0", "/images/disk.img")
    system.loop("loop1", "7:1", "/images/disk.img", sectors=range(2048, 4096))
    holders = system.root / "sys/block/loop1/holders"
    holders.mkdir()
    (holders / "dm-0").symlink_to(system.add("dm-0", "253:0"))
    system.loop("loop2", "7:2", "/dev/dm-0")
    system.mount("7:2", "none", "/")
    assert DiskUsage(system.root).of_device("7:0") == ["/"]


def test_image_is_in_use_where_fuse_mounts_it_without_a_device(
    system: MadeUpSystem, tmp_path: Path
) -> None:
    image, other, name = tmp_path / "disk.img", tmp_path / "other.img", tmp_path / "name.img"
    for path in (image, other):
        path.write_bytes(b"")
    name.hardlink_to(image)
    system.mount("0:44", str(image), "/mnt")
    assert DiskUsage(system.root).of_image(image) == ["/mnt"]
    assert DiskUsage(system.root).of_image(name) == ["/mnt"]
    assert DiskUsage(system.root).of_image(other) == []


def test_path_that_is_neither_device_nor_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="neither a block device nor an image"):
        LinuxHost().disk(str(tmp_path))
    with pytest.raises(SourceError, match="No such file"):
        LinuxHost().disk(str(tmp_path / "absent"))


def test_image_file_is_known_by_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk.img").write_bytes(bytes(1024))
    monkeypatch.chdir(tmp_path)
    disk = LinuxHost().disk("disk.img")
    assert (disk.identity, disk.size, disk.is_image) == (str(tmp_path / "disk.img"), 1024, True)


def test_disk_is_opened_for_reading_only(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(bytes(1024))
    host = LinuxHost()
    with host.open_disk(host.disk(str(tmp_path / "disk.img"))) as file:
        assert not file.writable()
        with pytest.raises(OSError, match="not open for writing"):
            file.write(b"x")
