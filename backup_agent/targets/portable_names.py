"""File names that Windows and macOS take as they are, and which of them those take for the same.

==========================================  ==================================
in the name                                 becomes (rules of Win32 file names)
==========================================  ==================================
``< > : " | ? *``                           ``_``
dots and spaces at the end, cut by Windows  ``_`` each
``CON``, ``NUL.txt``, ``COM1`` … (devices)  ``CON_``, ``NUL_.txt``, ``COM1_`` …
==========================================  ==================================
"""

from __future__ import annotations

import re
import unicodedata

_RESERVED = re.compile(r'[<>:"|?*]')
_CUT_OFF = re.compile(r"[. ]+$")
_DEVICE = re.compile(
    r"^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?=[ .]|$)", re.IGNORECASE
)


def portable_name(name: str) -> str:
    """One component. Slashes, backslashes and control characters are somebody else's business."""
    name = _RESERVED.sub("_", name)
    name = _CUT_OFF.sub(lambda end: "_" * len(end[0]), name)
    return _DEVICE.sub(r"\1_", name)


def sameness(name: str) -> str:
    """Equal for two names of which a system could take one for the other: they differ in capitals
    or in how accents are written.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
