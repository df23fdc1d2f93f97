"""A window may tell of as much as it likes."""

from __future__ import annotations

import subprocess
import sys

_MANY = """
from PySide6.QtCore import QObject, Signal

import backup_agent.qtkit


class Teller(QObject):
    told = Signal()


teller = Teller()
for _ in range(200_000):
    teller.told.emit()
print("still here")
"""


def test_signals_by_the_hundred_thousand_end_no_process() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _MANY], capture_output=True, text=True, check=False
    )
    assert answer.stdout == "still here\n", answer.stderr
