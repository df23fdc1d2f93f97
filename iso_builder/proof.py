"""Looking at a finished image as strangers do: firmware, the initrd, whoever compares hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.media.image import find_in_image, read_from_image
from backup_agent.services.media.slot import read_settings
from iso_builder.manifest import Layer, layers_from_json

_STEP = 4 << 20
_SECTOR = 512
# El Torito: the boot record is sector 17 of the ISO, and names itself.
_BOOT_RECORD = (17 * 2048, b"\x00CD001\x01EL TORITO SPECIFICATION")
_MBR_SIGNATURE = (510, b"\x55\xaa")
_GPT_SIGNATURE = (_SECTOR, b"EFI PART")
_MARKS = {
    "what lets a CD start": _BOOT_RECORD,
    "what lets a key start under BIOS": _MBR_SIGNATURE,
    "what lets a key start under UEFI": _GPT_SIGNATURE,
}


def check_image(image: Path, *, cancel: CancelToken) -> tuple[Layer, ...]:
    """The layers, each read out of the image and hashed.

    Raises :class:`IntegrityError` if one is not what the manifest says, if
    the settings slot is not there, or if no firmware would start it.
    """
    with image.open("rb") as file:
        for what, (place, mark) in _MARKS.items():
            file.seek(place)
            if file.read(len(mark)) != mark:
                raise IntegrityError(f"The image lacks {what}.", hint="Build it again.")
        read_settings(file)
        layers = layers_from_json(read_from_image(file, "everboot/manifest.json").decode())
        for layer in layers:
            if _hash(file, layer, cancel) != layer.sha256:
                raise IntegrityError(
                    f"{layer.name} in the image is damaged.", hint="Build or download it again."
                )
    return layers


def _hash(image: BinaryIO, layer: Layer, cancel: CancelToken) -> str:
    extent = find_in_image(image, f"everboot/layers/{layer.name}")
    digest = hashlib.sha256()
    image.seek(extent.start)
    left = extent.size
    while left and (piece := image.read(min(_STEP, left))):
        cancel.raise_if_cancelled()
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()
