"""What the first bytes of a file can be shown as: text, a picture, or nothing."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_BMP_HEADER = struct.Struct("<2sI4xII")
_BMP_INFO_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
"""Bytes of what follows the file's header, by version (Windows' BITMAPINFOHEADER is 40)."""
_LONGEST_TAIL = 3
"""Bytes of an UTF-8 character that a cut may have taken apart."""


@dataclass(frozen=True, slots=True)
class Look:
    """``text`` and ``picture_type`` are empty for what is neither. SVG is text: it can hold script.

    A picture is what browsers draw without plug-ins, told by its first bytes, never by its name.
    """

    text: str = ""
    picture_type: str = ""


def looked_at(data: bytes) -> Look:
    for lead, kind in _PICTURES:
        if data.startswith(lead):
            return Look(picture_type=kind)
    if _is_bitmap(data):
        return Look(picture_type="image/bmp")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Look(picture_type="image/webp")
    return Look(text=_text(data))


def _is_bitmap(data: bytes) -> bool:
    """``BM`` alone begins many a text, too."""
    if len(data) < _BMP_HEADER.size:
        return False
    lead, _size, pixels_at, info_size = _BMP_HEADER.unpack_from(data)
    return lead == b"BM" and info_size in _BMP_INFO_SIZES and pixels_at > info_size


def _text(data: bytes) -> str:
    """UTF-8, UTF-16 behind its mark, or what older Windows programs wrote; else empty."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return ""
    for cut in range(_LONGEST_TAIL + 1):
        try:
            return data[: len(data) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return ""
