"""What the first bytes of a file can be shown as: text, a picture, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)
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
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Look(picture_type="image/webp")
    return Look(text=_text(data))


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
