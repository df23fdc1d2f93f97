"""Django's settings as the type checker sees them: those of a console nobody runs."""

from __future__ import annotations

from pathlib import Path

from console_ui.django_settings import django_settings
from console_ui.keyfile import MasterKey
from console_ui.settings import Settings, Sqlite

# Named one by one, because the checker does not look into the dictionary.
EVERBOOT: Settings = Settings(
    data=Path("unused"),
    public_address="http://localhost:8470",
    database=Sqlite(file=Path("unused") / "console.sqlite3"),
)
EVERBOOT_SEALING_KEY: bytes
EVERBOOT_HASHING_KEY: bytes
EVERBOOT_COOKIE_PREFIX: str

globals().update(django_settings(EVERBOOT, MasterKey(bytes(32))))
