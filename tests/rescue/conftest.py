"""Qt without a screen, and windows that are closed before the test ends."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.rescue.walker import Screen

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def screen(qtbot: QtBot) -> Iterator[Screen]:
    opened = Screen(qtbot)
    yield opened
    opened.close()
