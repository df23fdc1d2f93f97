"""The way from any firmware to the menu.

BIOS reads GRUB out of the ISO itself (El Torito on a CD, the first sector on a
key). UEFI finds a small FAT partition with Debian's shim, which Microsoft
signed, and Debian's GRUB, which shim trusts: so Secure Boot may stay on.
"""

from __future__ import annotations

import os
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.config import EPOCH, MEDIUM, SAFE_SERIAL_CHOICE, SERIAL_CHOICE

KEYBOARDS = {
    "us": "English (US)",
    "gb": "English (UK)",
    "be": "Belgisch, belge",
    "cz": "Cestina",
    "dk": "Dansk",
    "de": "Deutsch",
    "es": "Espanol",
    "fr": "Francais",
    "it": "Italiano",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Portugues",
    "ch": "Schweizerdeutsch",
    "fi": "Suomi",
    "se": "Svenska",
}
"""Layout -> how its people call it, in the letters that every firmware can show."""

_SECTORS = 12288
_FAT_SERIAL = "45564254"


def menu() -> str:
    """``grub.cfg``"""
    entries = "\n".join(
        f'    menuentry "{name}" {{\n        set keyboard={layout}\n'
        "        configfile /boot/grub/grub.cfg\n    }"
        for layout, name in KEYBOARDS.items()
    )
    text = (MEDIUM / "grub.cfg").read_text()
    replaced = {
        "@keyboards@": entries,
        "@serial_choice@": SERIAL_CHOICE,
        "@safe_serial_choice@": SAFE_SERIAL_CHOICE,
    }
    for mark, meaning in replaced.items():
        text = text.replace(mark, meaning)
    return text


def make_efi_partition(kit: Path, target: Path, *, cancel: CancelToken) -> None:
    """6 MiB of FAT with what UEFI starts by itself. Raises :class:`CommandFailedError`."""
    target.unlink(missing_ok=True)
    # mtools takes its times from here; those of the files come from the files (-m).
    environment = {"SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    image = ("-i", target)
    signed = sorted((kit / "signed").iterdir())
    for file in signed:
        os.utime(file, (EPOCH, EPOCH))
    commands: tuple[list[str | Path], ...] = (
        ["mformat", *image, "-C", "-T", str(_SECTORS), "-N", _FAT_SERIAL, "-v", "EVERBOOT", "::"],
        ["mmd", *image, "::/EFI", "::/EFI/BOOT"],
        ["mcopy", *image, "-m", *signed, "::/EFI/BOOT"],
    )
    for command in commands:
        run(command, environment=environment, cancel=cancel)
