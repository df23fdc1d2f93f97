"""The settings slot: what a finished image can still be told."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError, UsageError
from backup_agent.format.media_slot import SLOT_SIZE, decode_slot, encode_slot
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.image import find_in_image
from backup_agent.services.media.slot import (
    SLOT_PATH,
    checked_settings,
    personalised,
    read_settings,
    write_settings,
)
from tests.helpers.small_medium import make_small_medium

SETTINGS = MediaSettings("https://backup.example.org", "AA11-BB22-CC33", "-----BEGIN …")


@pytest.fixture(name="medium")
def _medium(tmp_path: Path) -> Path:
    return make_small_medium(tmp_path)


def test_a_slot_says_what_was_put_into_it() -> None:
    assert decode_slot(encode_slot(SETTINGS)) == SETTINGS
    assert len(encode_slot(SETTINGS)) == SLOT_SIZE


@pytest.mark.parametrize("place", [0, 8, 12, 16, 48, 60])
def test_a_slot_with_one_changed_byte_is_refused(place: int) -> None:
    slot = bytearray(encode_slot(SETTINGS))
    slot[place] ^= 1
    with pytest.raises(IntegrityError):
        decode_slot(bytes(slot))


def test_a_certificate_larger_than_the_slot_is_refused() -> None:
    with pytest.raises(UsageError):
        encode_slot(MediaSettings(certificate="x" * SLOT_SIZE))


def test_an_image_is_nobodys_until_it_is_patched_in_place(medium: Path) -> None:
    before = medium.read_bytes()
    with medium.open("r+b") as file:
        assert read_settings(file) == MediaSettings()
        write_settings(file, SETTINGS)
        assert read_settings(file) == SETTINGS
        start = find_in_image(file, SLOT_PATH).start
    after = medium.read_bytes()
    assert len(after) == len(before)
    assert after[:start] == before[:start]
    assert after[start + SLOT_SIZE :] == before[start + SLOT_SIZE :]


def test_a_streamed_image_equals_one_patched_in_place_and_leaves_its_source_alone(
    medium: Path,
) -> None:
    before = medium.read_bytes()
    with medium.open("rb") as file:
        streamed = b"".join(personalised(file, SETTINGS))
    assert medium.read_bytes() == before
    with medium.open("r+b") as file:
        write_settings(file, SETTINGS)
    assert hashlib.sha256(streamed).digest() == hashlib.sha256(medium.read_bytes()).digest()


def test_what_is_no_rescue_media_is_left_untouched() -> None:
    stranger = io.BytesIO(bytes(1 << 20))
    with pytest.raises(IntegrityError):
        write_settings(stranger, SETTINGS)
    assert stranger.getvalue() == bytes(1 << 20)


def test_an_image_that_was_cut_off_is_refused(medium: Path) -> None:
    with medium.open("rb") as file:
        start = find_in_image(file, SLOT_PATH).start
        file.seek(0)
        cut = io.BytesIO(file.read(start + 1000))
    with pytest.raises(IntegrityError, match="ends too early"):
        read_settings(cut)


@pytest.mark.parametrize("typed", ["AA11-BB22-CC33", "aa11bb22cc33", " aa11 bb22 cc33 "])
def test_a_code_may_be_typed_in_any_way(typed: str) -> None:
    assert checked_settings(code=typed).code == "AA11-BB22-CC33"


@pytest.mark.parametrize("typed", ["AA11-BB22", "AA11-BB22-CC3O", "1111-2222-3333", "-"])
def test_what_is_no_media_code_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="media code"):
        checked_settings(code=typed)


@pytest.mark.parametrize(
    "typed", ["backup.example.org", "ftp://backup.example.org", "https://", "https://u:p@host"]
)
def test_an_address_that_cannot_be_a_consoles_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        checked_settings(console=typed)
