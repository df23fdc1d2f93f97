"""The file itself: one ISO 9660 that is a CD and a disk at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.config import EPOCH, VOLUME_LABEL

# Types of partitions: EFI system, basic data (in the mixed byte order that xorriso takes).
_EFI_SYSTEM = "28732ac11ff8d211ba4b00a0c93ec93b"
_BASIC_DATA = "a2a0d0ebe5b9334487c068b6b72699c7"


def write_iso(
    files: Mapping[str, Path],
    *,
    kit: Path,
    efi_partition: Path,
    target: Path,
    cancel: CancelToken,
) -> None:
    """``files``: path on the medium -> file. Raises :class:`CommandFailedError`.

    Started by BIOS and UEFI, from CD and key. ``-partition_offset`` lets
    partition 1 be mounted as the ISO, too, for systems that look only there.
    """
    points = {**files, "boot/eltorito.img": kit / "eltorito.img"}
    target.unlink(missing_ok=True)
    run(
        [
            *("xorriso", "-as", "mkisofs", "-quiet", "-o", target, "-V", VOLUME_LABEL),
            *("-iso-level", "3", "-rational-rock", "--set_all_file_dates", f"={EPOCH}"),
            *("-partition_offset", "16", "-partition_cyl_align", "off"),
            *("--grub2-mbr", kit / "boot_hybrid.img", "--mbr-force-bootable"),
            *("-append_partition", "2", _EFI_SYSTEM, efi_partition, "-appended_part_as_gpt"),
            *("-iso_mbr_part_type", _BASIC_DATA),
            *("-c", "boot/boot.catalog", "-b", "boot/eltorito.img", "-no-emul-boot"),
            *("-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info"),
            *("-eltorito-alt-boot", "-e", "--interval:appended_partition_2::", "-no-emul-boot"),
            "-graft-points",
            *(f"/{path}={file}" for path, file in sorted(points.items())),
        ],
        environment={"SOURCE_DATE_EPOCH": str(EPOCH)},
        cancel=cancel,
    )
