"""How this window looks, as somebody chose it: one small JSON file beside the plans."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Language(StrEnum):
    """The values are those of ISO 639-1."""

    SYSTEM = "system"
    ENGLISH = "en"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True)
class Preferences:
    theme: Theme = Theme.SYSTEM
    language: Language = Language.SYSTEM


def preferences_file(environment: Mapping[str, str]) -> Path:
    """``$XDG_CONFIG_HOME/everboot/window.json``, else below ``~/.config``."""
    home = environment.get("XDG_CONFIG_HOME")
    base = Path(home) if home else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "everboot" / "window.json"


def load_preferences(file: Path) -> Preferences:
    """The usual ones where there are none, or none that can be read: it is only a look."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()


def save_preferences(preferences: Preferences, file: Path) -> None:
    """Raises ``OSError``."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.new")
    draft.write_bytes(msgspec.json.encode(preferences))
    os.replace(draft, file)
