"""gitignore patterns as regular expressions: one pattern in, one expression out.

The rules are those of gitignore(5), matched byte for byte as Git's wildmatch
does with path names (a test compares with the real one); only that ``?`` and
brackets match characters, and that errors are told: a pattern which could never
match, or one with a slash inside a bracket. The library ``pathspec`` was not enough: it decides for
files of a repository, not for folders that a walk is about to enter, and its
``[!x]`` also matches a slash, which would leave out what nobody asked to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t-\r ",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class PatternError(ValueError):
    """Says why this is no pattern."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``regex`` is to be matched in full.

    It is meant for the last component when ``on_name``, else for the whole path
    without its leading slash.
    """

    regex: str
    negated: bool
    folders_only: bool
    on_name: bool


def parse_pattern(text: str) -> Pattern:
    """Read one pattern that is neither blank nor a comment. Raises :class:`PatternError`."""
    text = _without_trailing_spaces(text)
    negated = text.startswith("!")
    body = text[negated:]
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    on_name = "/" not in body
    body = body.removeprefix("/")
    if not body:
        raise PatternError("it names nothing")
    regex = _glob(body) if on_name else _path(body.split("/"))
    return Pattern(regex, negated=negated, folders_only=folders_only, on_name=on_name)


def _without_trailing_spaces(text: str) -> str:
    """A backslash before the first of them keeps it."""
    stripped = text.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and stripped != text else stripped


def _path(components: list[str]) -> str:
    """``**`` as a whole component stands for any number of them, at the end for one or more."""
    regex = ""
    last = len(components) - 1
    for index, component in enumerate(components):
        if component == "**":
            regex += ".+" if index == last else "(?:.+/)?"
        else:
            regex += _glob(component) + ("/" if index < last else "")
    return regex


def _glob(component: str) -> str:
    regex = ""
    index = 0
    while index < len(component):
        character = component[index]
        index += 1
        match character:
            case "*":
                regex += "[^/]*" if not regex.endswith("[^/]*") else ""
            case "?":
                regex += "[^/]"
            case "[":
                bracket, index = _bracket(component, index)
                regex += bracket
            case "\\":
                if index == len(component):
                    raise PatternError("it ends in a backslash")
                regex += re.escape(component[index])
                index += 1
            case _:
                regex += re.escape(character)
    return regex


def _bracket(text: str, index: int) -> tuple[str, int]:
    """The bracket whose inside starts at ``index``, and where the text goes on after it.

    A ``]`` that comes first is a member; a range that runs backwards has none.
    """
    negated = text[index : index + 1] in ("!", "^")
    index += negated
    first = index
    members = ""
    start: str | None = None
    """What a dash would make a range from."""
    while (character := text[index : index + 1]) != "]" or index == first:
        if character == "[" and (name := re.compile(r"\[:([^\]]*):\]").match(text, index)):
            if name[1] not in _CLASSES:
                raise PatternError(f"it has an unknown class [:{name[1]}:]")
            members += _CLASSES[name[1]]
            start, index = None, name.end()
        elif character == "-" and start and text[index + 1 : index + 2] not in ("", "]"):
            end, index = _member(text, index + 1)
            if start <= end:
                members += f"{re.escape(start)}-{re.escape(end)}"
            start = None
        else:
            start, index = _member(text, index)
            members += re.escape(start)
    if not members:
        return ("[^/]" if negated else "(?!)"), index + 1
    return f"(?!/)[{'^' if negated else ''}{members}]", index + 1


def _member(text: str, index: int) -> tuple[str, int]:
    index += text[index : index + 1] == "\\"
    if index >= len(text):
        raise PatternError("a bracket is not closed before the next slash")
    return text[index], index + 1
