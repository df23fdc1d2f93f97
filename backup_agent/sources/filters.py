"""What a backup leaves out because it was told to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from backup_agent.errors import UsageError
from backup_agent.sources.gitignore import Pattern, PatternError, parse_pattern

_CACHE_TAG = b"CACHEDIR.TAG"
_CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""The first bytes of the tag, by the Cache Directory Tagging Specification."""


class Filters:
    """Compiled once, then asked for every entry on the walk.

    Patterns are gitignore's, as if the file stood in the root folder: ``*.tmp``
    matches anywhere, ``/var/tmp`` and ``var/tmp`` only there, ``**/cache/tmp``
    again anywhere; ``build/`` matches folders only; the last one that matches
    decides, and ``!`` takes in again, though not below a folder that is left out.
    """

    def __init__(
        self,
        *,
        patterns: Iterable[str] = (),
        pattern_files: Iterable[Path] = (),
        exclude_caches: bool = False,
    ) -> None:
        """``patterns`` come after those of the files, so that they have the last word.

        Raises :class:`UsageError`, naming file and line, for what is no pattern.
        """
        parsed = [pattern for file in pattern_files for pattern in _read(file)]
        parsed += [_parse(text, place="--exclude") for text in patterns]
        self._for_folders = _compile(parsed)
        self._for_others = _compile([p for p in parsed if not p.folders_only])
        self._exclude_caches = exclude_caches

    @property
    def has_patterns(self) -> bool:
        """Without any, no entry need be asked after."""
        return bool(self._for_folders)

    def excludes(self, path: bytes, is_folder: bool) -> bool:
        """Whether the entry at this absolute path is left out, given that its folder is not."""
        rules = self._for_folders if is_folder else self._for_others
        if not rules or path == b"/":
            return False
        whole = path.strip(b"/").decode("utf-8", "surrogateescape")
        name = whole.rpartition("/")[2]
        for rule in rules:
            if rule.regex.fullmatch(name if rule.on_name else whole):
                return not rule.negated
        return False

    def excludes_content_of(self, folder: bytes) -> bool:
        """Whether the folder is a tagged cache: kept are only itself and its ``CACHEDIR.TAG``."""
        return self._exclude_caches and _is_cache(folder)


def is_cache_tag(name: bytes) -> bool:
    """Whether this entry stays although its folder's content is left out."""
    return name == _CACHE_TAG


@dataclass(frozen=True, slots=True)
class _Rule:
    """Patterns that stand next to each other and say the same, tried in one go."""

    regex: re.Pattern[str]
    negated: bool
    on_name: bool


def _compile(patterns: list[Pattern]) -> tuple[_Rule, ...]:
    """The rules, last first: the first that matches decides."""
    alike = groupby(reversed(patterns), key=lambda pattern: (pattern.negated, pattern.on_name))
    return tuple(
        _Rule(
            # DOTALL, for a line feed may be part of a name.
            re.compile("|".join(f"(?:{pattern.regex})" for pattern in run), re.DOTALL),
            negated=negated,
            on_name=on_name,
        )
        for (negated, on_name), run in alike
    )


def _read(file: Path) -> list[Pattern]:
    """A file's patterns, one a line; blank lines and those that begin with ``#`` are comments."""
    try:
        # A byte order mark and carriage returns are what editors on Windows leave.
        lines = file.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError as exc:
        raise UsageError(
            f"Cannot read the patterns in {file}: {exc.strerror}",
            hint="Name a text file with one pattern a line (--exclude-file).",
        ) from exc
    return [
        _parse(line, place=f"{file}, line {number}")
        for number, line in enumerate((line.removesuffix("\r") for line in lines), start=1)
        if line.strip(" ") and not line.startswith("#")
    ]


def _parse(text: str, *, place: str) -> Pattern:
    try:
        return parse_pattern(text)
    except PatternError as exc:
        raise UsageError(
            f"{place}: {text!r} is no pattern: {exc}.",
            hint="Patterns are those of gitignore. A backslash makes the next character literal.",
        ) from exc


def _is_cache(folder: bytes) -> bool:
    """A tag that cannot be read tells nothing, so the folder is backed up."""
    try:
        # Somebody's fifo of that name must not hold up the backup.
        tag = os.open(os.path.join(folder, _CACHE_TAG), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return os.read(tag, len(_CACHE_SIGNATURE)) == _CACHE_SIGNATURE
    except OSError:
        return False
    finally:
        os.close(tag)
