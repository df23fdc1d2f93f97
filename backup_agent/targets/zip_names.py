"""Names inside a zip: safe to extract anywhere, and no two the same.

Kept as they are wherever possible, since most zips are opened where their files
came from. Changed are only names that an extracting program could misread:

==================================  =======================  ==================
in the name                         could be taken for       becomes
==================================  =======================  ==================
bytes that are no UTF-8             any character            ``%E9``
a backslash                         a folder's separator     ``_``
control characters                  terminal commands        ``_``
one letter and a colon in front     a drive                  ``C_…``
the same name again                 the earlier entry        ``name (2).txt``
==================================  =======================  ==================

Other characters that Windows reserves (``? * < > | "``, a colon further on) are
left to the program that extracts there: those replace them on their own, and on
the system that the files came from they belong to the name. Names that are no
file names at all (``..``, an inner slash) are refused like everywhere.
"""

from __future__ import annotations

import re

from backup_agent.targets.path import RelPath, refuse_unsafe_name

_MISREAD = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_DRIVE = re.compile(r"^([A-Za-z]):")


class ArchiveNames:
    """Gives every stored path its name in one archive."""

    def __init__(self) -> None:
        self._folders: dict[RelPath, str] = {(): ""}
        self._taken: set[str] = set()
        self._copies: dict[str, int] = {}

    def folder(self, path: RelPath) -> str:
        """The folder's name with a slash at its end; the same one each time it is asked for.

        A folder never shares its name with a file or symbolic link, so no entry
        is ever extracted through a link. Raises :class:`UnsafePathError`.
        """
        nearest = len(path)
        while path[:nearest] not in self._folders:
            nearest -= 1
        inside = self._folders[path[:nearest]]
        for depth in range(nearest, len(path)):
            inside = self._take(inside, path[depth]) + "/"
            self._folders[path[: depth + 1]] = inside
        return inside

    def entry(self, path: RelPath) -> str:
        """A name for one thing that is no folder. Raises :class:`UnsafePathError`."""
        return self._take(self.folder(path[:-1]), path[-1])

    def _take(self, inside: str, raw: bytes) -> str:
        wanted = inside + safe_name(raw)
        name = wanted
        while name in self._taken:
            self._copies[wanted] = self._copies.get(wanted, 1) + 1
            name = _numbered(wanted, self._copies[wanted])
        self._taken.add(name)
        return name


def safe_name(raw: bytes) -> str:
    """One component as the table above has it. Raises :class:`UnsafePathError`."""
    refuse_unsafe_name(raw)
    name = raw.decode("utf-8", "surrogateescape")
    name = _NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", name)
    return _DRIVE.sub(r"\1_", _MISREAD.sub("_", name))


def _numbered(name: str, number: int) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem:
        stem, dot, extension = last, "", ""
    return f"{folder}{slash}{stem} ({number}){dot}{extension}"
