"""Making a finished image somebody's: patched in place, or while it is streamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

from backup_agent.errors import UsageError
from backup_agent.format.media_slot import SLOT_SIZE, decode_slot, encode_slot
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.image import find_in_image, read_from_image

SLOT_PATH = "everboot/settings"

_STEP = 1 << 20
_CODE_PARTS = re.compile(r"[A-Z]{2}[0-9]{2}")
_CODE_LENGTH = 12


def checked_settings(*, console: str = "", code: str = "", certificate: str = "") -> MediaSettings:
    """As typed by a person, made exact. Raises :class:`UsageError` for what cannot be right."""
    parts = urlsplit(console)
    if console and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise UsageError(
            "The console's address makes no sense.", hint="It looks like https://backup.example.org"
        )
    if parts.password is not None:
        raise UsageError("No password belongs on rescue media.", hint="Leave it out.")
    return MediaSettings(console.rstrip("/"), _code(code), certificate)


def empty_slot() -> bytes:
    """The content of the slot of an image that is nobody's yet."""
    return encode_slot(MediaSettings())


def settings_in(slot: bytes) -> MediaSettings:
    """Raises :class:`IntegrityError` for a damaged slot."""
    return decode_slot(slot)


def read_settings(image: BinaryIO) -> MediaSettings:
    """Raises :class:`IntegrityError` for what is no image of rescue media."""
    return decode_slot(read_from_image(image, SLOT_PATH))


def write_settings(image: BinaryIO, settings: MediaSettings) -> None:
    """Patch the image in place. Raises :class:`IntegrityError` before anything is written."""
    slot = encode_slot(settings)
    read_settings(image)
    image.seek(find_in_image(image, SLOT_PATH).start)
    image.write(slot)
    image.flush()


def personalised(image: BinaryIO, settings: MediaSettings) -> Iterator[bytes]:
    """The image's bytes with these settings in them, in pieces; the image stays as it is.

    Raises :class:`IntegrityError` with the first piece for what is no rescue media.
    """
    slot = encode_slot(settings)
    read_settings(image)
    start = find_in_image(image, SLOT_PATH).start
    image.seek(0)
    place = 0
    while place < start:
        piece = image.read(min(_STEP, start - place))
        place += len(piece)
        yield piece
    yield slot
    image.seek(start + SLOT_SIZE)
    while piece := image.read(_STEP):
        yield piece


def _code(code: str) -> str:
    """Spaces, dashes and case never matter when a person types a code."""
    letters = re.sub(r"[\s-]", "", code).upper()
    groups = [letters[place : place + 4] for place in range(0, len(letters), 4)]
    if code and not (
        len(letters) == _CODE_LENGTH and all(_CODE_PARTS.fullmatch(group) for group in groups)
    ):
        raise UsageError("This is no media code.", hint="It looks like AA11-BB22-CC33.")
    return "-".join(groups)
