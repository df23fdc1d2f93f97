"""What the first bytes of a file are shown as."""

from __future__ import annotations

import struct

import pytest

from console_ui.restore.look import looked_at

BITMAP = struct.pack("<2sI4xII", b"BM", 1000, 54, 40) + bytes(100)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (BITMAP, "image/bmp"),
    ],
)
def test_pictures_are_known_by_their_first_bytes(data: bytes, kind: str) -> None:
    assert (looked_at(data).picture_type, looked_at(data).text) == (kind, "")


@pytest.mark.parametrize("text", ["BM", "BMW, Audi and others", "BM" + "x" * 100])
def test_a_text_that_begins_like_a_bitmap_is_a_text(text: str) -> None:
    assert looked_at(text.encode()).text == text


def test_half_a_character_at_the_end_is_cut_off() -> None:
    assert looked_at("Grüße"[:3].encode() + "ß".encode()[:1]).text == "Grü"


@pytest.mark.parametrize("data", [b"\0\1\2", b"BM" + bytes(100)])
def test_what_is_neither_is_shown_as_nothing(data: bytes) -> None:
    assert looked_at(data) == looked_at(b"\0")
