"""What this computer remembers of a repository: a witness against a listing that leaves out.

Object stores list late (Swift for as long as a container server is down), and a
broken server may list nothing at all. Neither may cost data. So the names that
this computer has seen are asked for where a listing misses them, and packs that
nothing refers to are deleted only a while after they were first seen so.

It is a hint and never a truth. Lost with the cache, it costs a delay: what was
seen unreferenced has to be seen anew.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Annotated, TypeAlias

import msgspec

from backup_agent.model.ids import PackId
from backup_agent.storage.backend import FileKind
from backup_agent.storage.cache import kept_names

_REMEMBERED = (FileKind.SNAPSHOT, FileKind.INDEX)
_FILE = "unreferenced.json"

_FirstSeen: TypeAlias = dict[str, Annotated[datetime, msgspec.Meta(tz=True)]]


class Witness:
    """Of one repository. ``folder`` is its cache on this computer; without one, what was seen
    is remembered as long as this object lives.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._names = {
            kind: set[str]() if folder is None else kept_names(folder, kind) for kind in _REMEMBERED
        }
        self._first_seen = self._load()

    # Names of snapshots and index files

    def names(self, kind: FileKind) -> frozenset[str]:
        """Those that were there when they were last heard of; none for other kinds."""
        return frozenset(self._names.get(kind, ()))

    def saw(self, kind: FileKind, names: Iterable[str]) -> None:
        """They are there."""
        if kind in self._names:
            self._names[kind].update(names)

    def saw_gone(self, kind: FileKind, names: Iterable[str]) -> None:
        """They were removed."""
        if kind in self._names:
            self._names[kind].difference_update(names)

    # Packs that nothing refers to

    def unreferenced_for(self, grace: timedelta) -> frozenset[PackId]:
        """The packs that were first seen unreferenced so long ago, and at every look since."""
        now = self._clock()
        return frozenset(PackId(p) for p, seen in self._first_seen.items() if now - seen >= grace)

    def saw_unreferenced(self, packs: Iterable[PackId]) -> None:
        """These are unreferenced now, and no others are."""
        now = self._clock()
        # A clock that was ahead once must not make them wait for it.
        self._first_seen = {p: min(self._first_seen.get(p, now), now) for p in packs}
        self._save()

    def _load(self) -> _FirstSeen:
        if self._folder is None:
            return {}
        try:
            return msgspec.json.decode((self._folder / _FILE).read_bytes(), type=_FirstSeen)
        except (OSError, msgspec.DecodeError):
            return {}

    def _save(self) -> None:
        if self._folder is None:
            return
        final = self._folder / _FILE
        temporary = final.with_name(f"{_FILE}-tmp-{token_hex(8)}")
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.json.encode(self._first_seen))
            os.replace(temporary, final)
