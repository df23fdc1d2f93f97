"""French proves that every string can be translated."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from tests.console.running import REPOSITORY

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

FRENCH = Path("locale", "fr", "LC_MESSAGES", "django.po")


def test_the_compiled_messages_are_those_of_the_source(tmp_path: Path) -> None:
    source = REPOSITORY / "console_ui" / FRENCH
    compiled = tmp_path / "django.mo"

    subprocess.run(["msgfmt", "--check-format", "-o", compiled, source], check=True)

    assert compiled.read_bytes() == source.with_suffix(".mo").read_bytes()


def test_every_string_has_its_french(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "console_ui"
    shutil.copytree(REPOSITORY / "console_ui", copy)
    settings.LOCALE_PATHS = [str(copy / "locale")]
    monkeypatch.chdir(copy)

    call_command("makemessages", locale=["fr"], verbosity=0)

    missing = subprocess.check_output(
        ["msgattrib", "--untranslated", "--no-obsolete", copy / FRENCH], text=True
    )
    doubtful = subprocess.check_output(
        ["msgattrib", "--only-fuzzy", "--no-obsolete", copy / FRENCH], text=True
    )
    assert (missing, doubtful) == ("", "")
