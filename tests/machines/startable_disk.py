"""A small disk that starts by itself: GRUB, a stock Debian kernel, and a root that checks itself.

What it says on its serial port at the end is the proof: every file of its root is as it was when
the disk was made.
"""

from __future__ import annotations

import hashlib
import random
import struct
from dataclasses import dataclass
from pathlib import Path

from iso_builder.qemu import Firmware
from tests.helpers.disk_images import MIB, make_disk, place, run_tool
from tests.helpers.volumes import make_file_system
from tests.machines.initramfs import make_initramfs
from tests.machines.kernel import debian_kernel

STARTED = "This disk has started, and every file on it is right."

_ROOT_UUID = "6f1c1f0e-5d0c-4d0b-9b46-3a1f5a1c7e11"
_UEFI_TABLE = """\
label: gpt
start=1MiB, size=16MiB, type=U, name="EFI system partition"
start=17MiB, size=110MiB, type=L, name="root"
"""
_BIOS_TABLE = """\
label: dos
label-id: 0x0badcafe
start=1MiB, size=16MiB, type=c
start=17MiB, size=110MiB, type=83, bootable
"""
_EFI_PLACE, _EFI_SIZE = 1 * MIB, 16 * MIB
_ROOT_PLACE, _ROOT_SIZE = 17 * MIB, 110 * MIB
_SIZE = 128 * MIB
_FILES, _FILE_SIZE = 24, 2 * MIB
_SECTOR = 512

_GRUB = Path("/usr/lib/grub")
_GRUB_MODULES = ("part_gpt", "part_msdos", "ext2", "search", "normal", "configfile", "linux")
_FIND_ROOT = f"search --no-floppy --fs-uuid --set=root {_ROOT_UUID}\nset prefix=($root)/boot/grub\n"
_MENU = """\
set timeout=0
linux /boot/vmlinuz console=ttyS0 quiet panic=-1
initrd /boot/initrd
boot
"""
_FSTAB = f"UUID={_ROOT_UUID} / ext4 defaults 0 1\n"
_MODULES = ("virtio_pci", "virtio_blk", "ahci", "sd_mod", "nvme", "crc32c_generic", "ext4")

# As a Debian does, and then no further: the root is found, mounted and looked at.
_INIT = f"""\
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mkdir /sys
$busybox mount -t sysfs sys /sys
$busybox mount -t devtmpfs dev /dev
for module in /modules/*; do $busybox insmod $module 2>/dev/null; done
for try in 1 2 3 4 5 6 7 8 9; do
    for device in /sys/class/block/*; do
        $busybox mount -t ext4 -o ro /dev/${{device##*/}} /root 2>/dev/null && break 2
    done
    $busybox sleep 1
done
cd /root && $busybox sha256sum -c -s sums && echo "{STARTED}" >/dev/ttyS0
$busybox poweroff -f
"""


@dataclass(frozen=True, slots=True)
class StartableDisk:
    """An image that starts by that firmware; ``size`` in bytes."""

    image: Path
    firmware: Firmware
    size: int = _SIZE


def make_startable_disk(folder: Path, firmware: Firmware) -> StartableDisk:
    """``folder/disk.img``. UEFI finds its loader by its list only, as on an installed Debian."""
    by_bios = firmware is Firmware.BIOS
    image = make_disk(folder / "disk.img", _SIZE, _BIOS_TABLE if by_bios else _UEFI_TABLE)
    early = folder / "early.cfg"
    early.write_text(_FIND_ROOT)
    if by_bios:
        _put_bios_loader(image, early)
    place(image, _EFI_PLACE, _efi_volume(folder, early, has_loader=not by_bios).read_bytes())
    place(image, _ROOT_PLACE, _root_volume(folder).read_bytes())
    return StartableDisk(image, firmware)


def _efi_volume(folder: Path, early: Path, *, has_loader: bool) -> Path:
    volume = make_file_system(folder / "efi", _EFI_SIZE, "mkfs.fat", "-n", "EFI")
    if has_loader:
        core = _grub_core(folder / "grubx64.efi", early, "x86_64-efi", "fat")
        run_tool("mmd", "-i", volume, "::EFI", "::EFI/debian")
        run_tool("mcopy", "-i", volume, core, "::EFI/debian/grubx64.efi")
    return volume


def _root_volume(folder: Path) -> Path:
    """With a kernel, the menu that starts it, and files that differ in every byte."""
    tree = folder / "root"
    kernel = debian_kernel()
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "etc").mkdir()
    (tree / "boot/vmlinuz").write_bytes(kernel.image.read_bytes())
    (tree / "boot/grub/grub.cfg").write_text(_MENU)
    (tree / "etc/fstab").write_text(_FSTAB)
    make_initramfs(
        tree / "boot/initrd",
        script=_INIT,
        shell=Path("/bin/busybox"),
        modules=kernel.module_files(*_MODULES),
    )
    for number in range(_FILES):
        (tree / f"film {number}").write_bytes(random.Random(number).randbytes(_FILE_SIZE))
    (tree / "sums").write_text(_sums(tree))
    command = ("mkfs.ext4", "-q", "-b", "4096", "-U", _ROOT_UUID, "-L", "root", "-d", str(tree))
    return make_file_system(folder / "volume", _ROOT_SIZE, *command)


def _sums(tree: Path) -> str:
    """As ``sha256sum`` writes them."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(tree)}\n"
        for file in files
    )


def _put_bios_loader(image: Path, early: Path) -> None:
    """What ``grub-install`` would: the first sector, and GRUB's core in the gap behind it.

    The core's first sector loads the rest by a list at its end: where that lies (u64, sectors),
    how much it is (u16, sectors), and where to (u16, segment); see GRUB's ``diskboot.S``.
    """
    core = _grub_core(image.with_name("core.img"), early, "i386-pc", "biosdisk").read_bytes()
    sectors = -(-len(core) // _SECTOR)
    first = bytearray(core[:_SECTOR])
    struct.pack_into("<QHH", first, _SECTOR - 12, 2, sectors - 1, 0x820)
    boot_code = (_GRUB / "i386-pc" / "boot.img").read_bytes()
    place(image, 0, boot_code[:440])
    place(image, _SECTOR, bytes(first) + core[_SECTOR:])


def _grub_core(target: Path, early: Path, kind: str, *modules: str) -> Path:
    words = ("--format", kind, "--prefix", "/boot/grub", "--config", early, "--output", target)
    run_tool("grub-mkimage", "--directory", _GRUB / kind, *words, *_GRUB_MODULES, *modules)
    return target
