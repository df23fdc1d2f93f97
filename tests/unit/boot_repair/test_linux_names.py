"""How a Linux names its file systems."""

from __future__ import annotations

from backup_agent.model.disk import FileSystem, FileSystemKind, Volume
from rescue_media.boot_repair.linux import (
    missing_uuids,
    names_to_replace,
    unknown_to_grub,
    with_names_replaced,
)

ROOT = "0b1c2d3e-1111-2222-3333-444455556666"
VOLUMES = (
    Volume(1, 1 << 20, 1 << 20, FileSystem(FileSystemKind.FAT32, serial="1234-ABCD")),
    Volume(2, 2 << 20, 1 << 20, FileSystem(FileSystemKind.EXT4, serial=ROOT)),
)
BY_DEVICE = """\
# /dev/sda2 was here
/dev/sda2  /          ext4  defaults  0 1
/dev/sda1\t/boot/efi  vfat  umask=0077  0 1
/dev/sda22 /data      ext4  nofail  0 2
tmpfs      /tmp       tmpfs  defaults  0 0
"""


def test_device_names_are_replaced_by_uuids_and_nothing_else_changes() -> None:
    names = names_to_replace(BY_DEVICE, VOLUMES)
    assert names == (("/dev/sda2", f"UUID={ROOT}"), ("/dev/sda1", "UUID=1234-ABCD"))
    after = with_names_replaced(BY_DEVICE, names)
    assert after == BY_DEVICE.replace("\n/dev/sda2 ", f"\nUUID={ROOT} ").replace(
        "/dev/sda1\t", "UUID=1234-ABCD\t"
    )
    assert names_to_replace(after, VOLUMES) == ()


def test_names_of_two_disks_are_left_alone() -> None:
    assert names_to_replace(BY_DEVICE + "/dev/sdb1 /more ext4 defaults 0 2\n", VOLUMES) == ()


def test_only_what_the_start_would_wait_for_is_missing() -> None:
    text = (
        f"UUID={ROOT.upper()} / ext4 defaults 0 1\n"
        "UUID=ffff-0001 none swap sw 0 0\n"
        "UUID=ffff-0002 /usb ext4 nofail 0 2\n"
    )
    assert [entry.device for entry in missing_uuids(text, VOLUMES)] == ["UUID=ffff-0001"]


def test_grub_is_asked_once_for_each_volume_that_is_not_there() -> None:
    grub = (
        f"search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2  {ROOT}\n"
        "  search --no-floppy --fs-uuid --set=root dddddddd-9999-2222-3333-444455556666\n"
        "  search --no-floppy --fs-uuid --set=root dddddddd-9999-2222-3333-444455556666\n"
    )
    assert unknown_to_grub(grub, VOLUMES) == ("dddddddd-9999-2222-3333-444455556666",)
