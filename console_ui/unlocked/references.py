"""Names for paths that tell nothing about them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from backup_agent.errors import EverbootError
from backup_agent.services.browse import TreePath

_BYTES = 16
_MOST = 200_000


class UnknownReferenceError(EverbootError):
    """It was given out by another process, for another restore point, or long ago."""

    code = "unlocked.unknown_reference"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a restore point."""

    point: str
    path: TreePath


@dataclass(frozen=True, slots=True)
class Selection:
    """Things of one restore point, in the order of their paths, ``without`` some in them."""

    point: str
    paths: tuple[TreePath, ...]
    without: tuple[TreePath, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for in a restore point."""

    point: str
    words: str


Meaning: TypeAlias = Item | Selection | Words
_MeaningT = TypeVar("_MeaningT", Item, Selection, Words)


class References:
    """Gives out references and knows what they mean. For several threads.

    They are keyed hashes under something that only the repository's own users know: the same
    thing has the same reference in every session, so that an address from before leads to the same
    place once that was met again.
    """

    def __init__(self, key: bytes) -> None:
        self.key = hashlib.sha256(b"everboot references\0" + key).digest()
        self._known: OrderedDict[str, Meaning] = OrderedDict()
        self._lock = threading.Lock()

    def give(self, meaning: Meaning) -> str:
        reference = self._hash(meaning)
        with self._lock:
            self._known[reference] = meaning
            self._known.move_to_end(reference)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return reference

    def item(self, reference: str) -> Item:
        """Raises ``UnknownReferenceError``, as the others do."""
        return self._expect(Item, reference)

    def selection(self, reference: str) -> Selection:
        return self._expect(Selection, reference)

    def words(self, reference: str) -> Words:
        return self._expect(Words, reference)

    def _expect(self, kind: type[_MeaningT], reference: str) -> _MeaningT:
        with self._lock:
            meaning = self._known.get(reference)
        if not isinstance(meaning, kind):
            raise UnknownReferenceError(
                "This page was opened before the vault was unlocked.",
                hint="Begin at the restore point.",
            )
        return meaning

    def _hash(self, meaning: Meaning) -> str:
        state = hashlib.blake2b(key=self.key, digest_size=_BYTES)
        for part in _parts(meaning):
            state.update(len(part).to_bytes(8, "little") + part)
        return state.hexdigest()


def _parts(meaning: Meaning) -> Sequence[bytes]:
    point = meaning.point.encode()
    match meaning:
        case Item(path=path):
            return b"item", point, *path
        case Selection(paths=paths, without=without):
            chosen = *(b"/".join(path) for path in paths), *(b"\0" + b"/".join(p) for p in without)
            return b"selection", point, *chosen
        case Words(words=words):
            return b"words", point, words.encode()
