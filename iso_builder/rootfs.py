"""Debian for the medium, made by mmdebstrap once and then kept in the cache.

The cache's folder is named by the hash of all that the base is made from, so
an old base is never taken for a new one. It holds the packed layer and the
*kit*: kernel, first modules, boot loaders, and the list of packages.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import UnsupportedError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from iso_builder.command import run
from iso_builder.config import EPOCH, MEDIUM, SUITE, Mirror
from iso_builder.manifest import Package, parse_packages
from iso_builder.squashfs import OPTIONS, pack_tar

COMPONENTS = "main non-free-firmware"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# What may lie between the kernel and the medium, and what the layers are made of.
FIRST_MODULES = (
    *("loop", "squashfs", "overlay", "isofs", "nls_utf8", "nls_ascii"),
    *("sd_mod", "sr_mod", "ahci", "ata_piix", "ata_generic", "nvme", "vmd"),
    *("usb_storage", "uas", "xhci_pci", "ehci_pci", "ohci_pci", "uhci_hcd"),
    *("virtio_pci", "virtio_blk", "virtio_scsi", "xen_blkfront"),
    *("mptspi", "mptsas", "vmw_pvscsi", "hv_storvsc"),
    *("mmc_block", "sdhci_pci", "sdhci_acpi", "rtsx_pci_sdmmc", "rtsx_usb_sdmmc"),
    # somebody may have to press Enter
    *("usbhid", "hid_generic", "i8042", "atkbd"),
)
BOOT_PACKAGES = (
    "grub-common",
    "grub-pc-bin",
    "grub-efi-amd64-signed",
    "shim-signed",
    "shim-helpers-amd64-signed",
    "memtest86+",
)
# All in one image: under BIOS nothing has to be loaded before the menu is there.
GRUB_MODULES = (
    *("biosdisk", "iso9660", "part_msdos", "part_gpt", "search", "search_fs_file"),
    *("configfile", "normal", "linux", "test", "echo", "all_video", "smbios", "minicmd"),
    *("halt", "reboot", "sleep", "true"),
)

# What runs in the new root, and the file that GRUB under BIOS begins with.
_SCRIPTS = ("customise", "prune_firmware.py", "grub-core.cfg")
_BASE = "base.squashfs"
_KIT = "kit"
_FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Base:
    """A folder of the cache."""

    folder: Path

    @property
    def layer(self) -> Path:
        return self.folder / _BASE

    @property
    def kit(self) -> Path:
        return self.folder / _KIT

    def packages(self) -> tuple[Package, ...]:
        lists = (self.kit / "packages.tsv", self.kit / "boot-packages.tsv")
        return tuple(package for file in lists for package in parse_packages(file.read_text()))


def recipe_hash() -> str:
    """Of everything but the packages' versions: a new recipe, a new base."""
    digest = hashlib.sha256(
        repr((SUITE, EPOCH, COMPONENTS, OPTIONS, *_environment().items())).encode()
    )
    for name in ("packages.txt", *_SCRIPTS):
        digest.update((MEDIUM / name).read_bytes())
    return digest.hexdigest()[:16]


def cached_base(cache: Path) -> Base | None:
    """The base of today's recipe, if it was made already."""
    folder = cache / f"iso-base-{recipe_hash()}"
    return Base(folder) if (folder / _FINISHED).exists() else None


def make_base(cache: Path, mirror: Mirror, *, emit: Emit, cancel: CancelToken) -> Base:
    """Make it anew; needs the network, three minutes, 3 GB for a while, and no root.

    Raises :class:`CommandFailedError`.
    """
    folder = cache / f"iso-base-{recipe_hash()}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / _KIT).mkdir(parents=True)
    archive = folder / "base.tar"
    emit(Notice(f"Installing Debian {SUITE} for the medium; the first time takes minutes."))
    run(debootstrap(folder, archive, mirror), environment=_environment(), cancel=cancel)
    emit(Notice("Packing the base."))
    with archive.open("rb") as tar:
        pack_tar(tar, folder / _BASE, cancel=cancel)
    archive.unlink()
    (folder / _FINISHED).touch()
    return Base(folder)


def debootstrap(folder: Path, archive: Path, mirror: Mirror) -> list[str | Path]:
    """The command that fills the archive with the root, and ``folder/kit``."""
    if not KEYRING.exists():
        raise UnsupportedError(
            "The keys that Debian signs its packages with are not on this computer.",
            hint="Install the package debian-archive-keyring.",
        )
    mode = "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "unshare"
    return [
        *("mmdebstrap", f"--mode={mode}", "--variant=minbase", "--format=tar"),
        *("--architectures=amd64", f"--components={COMPONENTS.replace(' ', ',')}"),
        f"--include={','.join(packages())}",
        '--aptopt=APT::Install-Recommends "false"',
        f"--keyring={KEYRING}",
        f"--customize-hook=copy-in {' '.join(str(MEDIUM / name) for name in _SCRIPTS)} /tmp",
        '--customize-hook=sh "$1/tmp/customise" "$1"',
        f"--customize-hook=sync-out /everboot-kit {folder / _KIT}",
        # Ours alone: mmdebstrap's own settings lie in /tmp, and without them its last step would
        # empty the package lists of this computer instead of those of the new root.
        f'--customize-hook=cd "$1/tmp" && rm -r {" ".join(_SCRIPTS)} modules "$1/everboot-kit"',
        *(SUITE, archive),
        *_sources(mirror),
    ]


def packages() -> list[str]:
    """What is installed, by name."""
    lines = (MEDIUM / "packages.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _sources(mirror: Mirror) -> list[str]:
    lines = [f"deb {mirror.archive} {suite} {COMPONENTS}" for suite in (SUITE, f"{SUITE}-updates")]
    if mirror.security:
        lines.append(f"deb {mirror.security} {SUITE}-security {COMPONENTS}")
    return lines


def _environment() -> dict[str, str]:
    """What the scripts in ``medium`` are told."""
    return {
        "SOURCE_DATE_EPOCH": str(EPOCH),
        # The kernel's package would make an initrd that nobody uses.
        "INITRD": "No",
        "FIRST_MODULES": " ".join(FIRST_MODULES),
        "BOOT_PACKAGES": " ".join(BOOT_PACKAGES),
        "GRUB_MODULES": " ".join(GRUB_MODULES),
    }
