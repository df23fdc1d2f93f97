"""The windows speak English and French, whole, and write numbers and days as each does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale

from backup_agent.qtkit import dates, words
from backup_agent.qtkit.language import speak, tr, trn

ROOT = Path(__file__).resolve().parents[3]
FRENCH = ROOT / "backup_agent/qtkit/locale/fr/LC_MESSAGES/everboot.po"
NOW = datetime(2026, 11, 17, 16, 4, tzinfo=UTC)
# In French, thin spaces that do not break stand between digits and before some marks.
_SPACES = re.compile("[\u00a0\u202f]")


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    speak(QLocale("en_GB"))


def in_french(text: str) -> str:
    return _SPACES.sub(" ", text)


def test_everything_that_is_said_is_said_in_french_too(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / ".dev" / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    catalogue = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(catalogue)
    template = tmp_path / "everboot.pot"
    catalogue.extract(template)
    merged = tmp_path / "merged.po"
    subprocess.run(
        ["msgmerge", "--quiet", "--no-fuzzy-matching", "-o", merged, FRENCH, template], check=True
    )
    missing = subprocess.run(
        ["msgattrib", "--untranslated", "--no-obsolete", merged],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert missing == "", "Run .dev/catalogue.py and translate what is new"
    dead = subprocess.run(
        ["msgattrib", "--only-obsolete", merged], capture_output=True, text=True, check=True
    ).stdout
    assert dead == "", "Run .dev/catalogue.py: something is said no more"


def test_the_compiled_catalogue_is_that_of_the_texts(tmp_path: Path) -> None:
    compiled = tmp_path / "everboot.mo"
    subprocess.run(["msgfmt", f"--output-file={compiled}", str(FRENCH)], check=True)
    assert compiled.read_bytes() == FRENCH.with_suffix(".mo").read_bytes()


def test_parts_of_a_sentence_are_the_same_in_both_languages() -> None:
    text = FRENCH.read_text()
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE)
    assert len(pairs) > 200
    parts = re.compile(r"\{\w+\}")
    odd = [p for p in pairs if set(parts.findall(p[0])) != set(parts.findall(p[1]))]
    assert odd == []


def test_words_and_numbers_follow_the_language() -> None:
    assert tr("Overview") == "Overview"
    assert words.size(1_234_000_000) == "1.2 GB"
    assert trn("{number} file", "{number} files", 341902) == "341,902 files"
    speak(QLocale("fr_FR"))
    assert in_french(tr("Rescue media")) == "Support de secours"
    assert in_french(words.size(1_234_000_000)) == "1,2 Go"
    assert in_french(trn("{number} file", "{number} files", 341902)) == "341 902 fichiers"
    assert in_french(trn("{number} file", "{number} files", 0)) == "0 fichier"


def test_a_language_without_catalogue_is_english_in_numbers_too() -> None:
    speak(QLocale("de_DE"))
    assert tr("Overview") == "Overview"
    assert words.size(1_234_000_000) == "1.2 GB"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=2, minutes=50), "2 hours ago"),
        (timedelta(hours=24), "yesterday at 16:04"),
        (timedelta(days=3), "Sat 14 Nov at 16:04"),
        (timedelta(days=400), "Mon 13 Oct 2025 at 16:04"),
        (-timedelta(hours=2), "today at 18:04"),
    ],
)
def test_moments_are_told_as_people_do(passed: timedelta, said: str) -> None:
    assert dates.ago(NOW - passed, NOW) == said
