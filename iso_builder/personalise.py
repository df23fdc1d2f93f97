"""Making a finished image somebody's, on any system and without any tool."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import UsageError
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.slot import write_settings


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """``sha256`` of the whole file, in hex."""

    file: Path
    size: int
    sha256: str


def personalise(image: Path, output: Path, settings: MediaSettings) -> BuiltImage:
    """A copy of the image with these settings. Raises :class:`IntegrityError` for no medium."""
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        shutil.copyfile(image, unfinished)
        return finish(unfinished, output, settings)
    except OSError as exc:
        raise UsageError(f"{exc.filename}: {exc.strerror}.") from exc
    finally:
        unfinished.unlink(missing_ok=True)


def finish(image: Path, output: Path, settings: MediaSettings) -> BuiltImage:
    """Put the settings in, give it its name, and write ``NAME.sha256`` beside it."""
    with image.open("r+b") as file:
        write_settings(file, settings)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    image.replace(output)
    output.with_name(f"{output.name}.sha256").write_text(f"{sha256}  {output.name}\n")
    return BuiltImage(output, output.stat().st_size, sha256)
