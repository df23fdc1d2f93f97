"""What passes between the console and the process that holds an unlocked vault.

One connection carries the secret, one request, and its answer. Only a zip takes more: its
:class:`ZipHead`, then what is wanted of it (:class:`SendZip`), then that in many :class:`Piece`,
ended by :class:`ZipDone`. In place of any answer may stand :class:`Failed`.
Messages are MessagePack.

Paths never leave the process but as names to show: what stands in the console's addresses is a
*reference*, which means nothing to whoever reads it in a browser's history or a proxy's log.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Opening(msgspec.Struct, frozen=True, tag="opening"):
    """All that the process is told, through a pipe. ``folder``: where its socket, ``name``, lies.

    ``token`` reads the vault at ``address``, whose server shows ``certificate`` (PEM) if any.
    ``secret`` is what every request has to bring along.
    """

    address: str
    token: str
    certificate: str
    password: str
    folder: str
    name: str
    secret: str
    idle_seconds: float
    longest_seconds: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The password was right; the socket is there."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    secret: str


# Requests


class DescribePoints(msgspec.Struct, frozen=True, tag="points"):
    """``ids`` are whole ids of restore points."""

    ids: tuple[str, ...]


class ListFolder(msgspec.Struct, frozen=True, tag="list"):
    """``folder`` empty: the restore point's root. Entries from ``start`` on, ``count`` at most."""

    point: str
    folder: str
    start: int
    count: int


class KeepSearch(msgspec.Struct, frozen=True, tag="keep-search"):
    """Answered by a ``Reference`` for the words, which are no business of an address either."""

    point: str
    words: str


class Search(msgspec.Struct, frozen=True, tag="search"):
    search: str
    most: int
    longest_seconds: float


class ReadPreview(msgspec.Struct, frozen=True, tag="preview"):
    """The first ``most`` bytes of a file."""

    file: str
    most: int


class KeepSelection(msgspec.Struct, frozen=True, tag="keep-selection"):
    """Answered by a ``Reference``, the same for the same things of the same restore point.

    ``without`` are files in them that somebody does without, for they are damaged.
    """

    point: str
    items: tuple[str, ...]
    without: tuple[str, ...] = ()


class Zip(msgspec.Struct, frozen=True, tag="zip"):
    """The selection as a zip. Answered by its ``ZipHead``; then a ``SendZip`` is waited for."""

    selection: str


class SendZip(msgspec.Struct, frozen=True, tag="send-zip"):
    """The zip's bytes from ``start`` to before ``end``."""

    start: int
    end: int


class AskZip(msgspec.Struct, frozen=True, tag="ask-zip"):
    """How far the zip of that selection is."""

    selection: str


class Lock(msgspec.Struct, frozen=True, tag="lock"):
    """End, and forget the key."""


Request: TypeAlias = (
    DescribePoints
    | ListFolder
    | KeepSearch
    | Search
    | ReadPreview
    | KeepSelection
    | Zip
    | AskZip
    | Lock
)


# Answers


class Point(msgspec.Struct, frozen=True):
    """A restore point; ``kind`` and ``completeness`` are values of the engine's enumerations.

    Of a damaged one, all but ``id`` and ``completeness`` may be empty.
    """

    id: str
    time: str
    host: str
    kind: str
    completeness: str
    size: int | None
    paths: tuple[str, ...]


class Points(msgspec.Struct, frozen=True, tag="points"):
    """In the order asked for, without those that are gone."""

    points: tuple[Point, ...]


class Entry(msgspec.Struct, frozen=True):
    """One item. ``kind`` is a ``NodeKind``'s value, ``disk`` or ``volume``; times in ns since 1970.

    ``number`` is that of a disk or volume, from 1; ``name`` is then its label, which may be empty.
    ``folder`` tells where a hit of a search lies.
    """

    reference: str
    name: str
    kind: str
    size: int = 0
    mtime_ns: int = 0
    number: int = 0
    folder: str = ""


class Folder(msgspec.Struct, frozen=True, tag="folder"):
    """``trail``: the folders from the root's first child to this one. ``total`` counts all items.

    ``omissions`` is how many things the restore point lacks.
    """

    trail: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    total: int
    omissions: int


class Hits(msgspec.Struct, frozen=True, tag="hits"):
    """``is_all`` unless it stopped at the number asked for or ran out of its time.

    ``unreachable`` folders could not be looked into.
    """

    words: str
    entries: tuple[Entry, ...]
    is_all: bool
    unreachable: int


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    """``data`` are the first bytes of the file."""

    trail: tuple[Entry, ...]
    entry: Entry
    data: bytes


class Reference(msgspec.Struct, frozen=True, tag="reference"):
    reference: str


class ZipHead(msgspec.Struct, frozen=True, tag="zip-head"):
    """How long the zip is. ``tag``: the same one, the same bytes. ``left_out`` things that were
    selected are not in it, but in a list of their own there.
    """

    size: int
    tag: str
    left_out: int


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """The next bytes of a zip; none, as a sign of life, while something is only looked at."""

    data: bytes


class ZipDone(msgspec.Struct, frozen=True, tag="zip-done"):
    """All that was wanted of the zip has been sent."""


class ZipState(msgspec.Struct, frozen=True, tag="zip-state"):
    """Bytes are those of the zip, from its beginning, whatever of it was wanted.

    ``damaged`` is the file at which it broke off, if it was that. ``without`` are those that it
    did without by request, and that one.
    """

    has_begun: bool
    is_running: bool
    bytes_done: int
    bytes_total: int
    left_out: int
    damaged: str = ""
    without: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, tag="done"):
    pass


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An ``EverbootError`` in words; ``code`` is its class's."""

    code: str
    message: str
    hint: str


Answer: TypeAlias = (
    Points
    | Folder
    | Hits
    | Preview
    | Reference
    | ZipHead
    | Piece
    | ZipDone
    | ZipState
    | Done
    | Failed
)
