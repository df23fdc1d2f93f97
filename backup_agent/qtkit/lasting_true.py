"""Keeping Python 3.11 alive under PySide6 6.12.0.

In that version ``Signal.emit`` gives away a reference to ``True`` that is not its own. From
Python 3.12 on nobody counts those; 3.11 does, and ends the process once they are used up, which
takes a window some thousand signals. Other versions (6.8 to 6.11 were looked at) do not.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_MORE_THAN_EVER_EMITTED: Final = 1 << 40


def keep_true() -> None:
    """Make the references to ``True`` so many that they are never used up. Once is enough."""
    import PySide6

    if sys.version_info < (3, 12) and PySide6.__version_info__[:3] == (6, 12, 0):
        # The count is the first field of every object (CPython 3.11, Include/object.h).
        ctypes.c_ssize_t.from_address(id(True)).value += _MORE_THAN_EVER_EMITTED
