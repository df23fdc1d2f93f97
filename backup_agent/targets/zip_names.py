"""Names inside a zip: safe to extract anywhere, and no two the same.

Kept as they are wherever possible, since most zips of the command line are opened where
their files came from. Changed are only names that an extracting program could misread:

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
from backup_agent.targets.portable_names import portable_name, sameness

_MISREAD = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_DRIVE = re.compile(r"^([A-Za-z]):")


class ArchiveNames:
    """Gives every stored path its name in one archive.

    One that is ``for_any_system`` will be extracted nobody knows where: names are changed, and
    numbered, so that Windows and macOS neither refuse one nor take two for the same. ``changed``
    has the items that are called otherwise for any of these reasons, in the order of asking.
    """

    def __init__(self, *, for_any_system: bool = False) -> None:
        self._for_any_system = for_any_system
        self.changed: dict[RelPath, str] = {}
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
            inside = self._take(inside, path[: depth + 1]) + "/"
            self._folders[path[: depth + 1]] = inside
        return inside

    def entry(self, path: RelPath) -> str:
        """A name for one thing that is no folder. Raises :class:`UnsafePathError`."""
        return self._take(self.folder(path[:-1]), path)

    def _take(self, inside: str, path: RelPath) -> str:
        safe = safe_name(path[-1])
        wanted = inside + (portable_name(safe) if self._for_any_system else safe)
        first = self._alike(wanted)
        name, alike = wanted, first
        while alike in self._taken:
            self._copies[first] = self._copies.get(first, 1) + 1
            name = _numbered(wanted, self._copies[first])
            alike = self._alike(name)
        self._taken.add(alike)
        if name[len(inside) :].encode() != path[-1]:
            self.changed[path] = name
        return name

    def _alike(self, name: str) -> str:
        return sameness(name) if self._for_any_system else name


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
