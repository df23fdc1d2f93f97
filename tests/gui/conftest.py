"""Qt without a screen, and windows that are closed before the test ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.gui.person import Screen

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Screen]:
    opened = Screen(qtbot, tmp_path)
    yield opened
    opened.close()
