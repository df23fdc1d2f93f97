"""Parts of a whole on loan: room for uploads, memory, threads, turns."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    borrower: Hashable
    size: int
    granted: asyncio.Future[None]


class Shares:
    """Lends parts of ``total``, at most ``each`` to one borrower, first come, first served.

    Beyond its first part, nobody gets more than is then left for all others together. So
    whoever keeps its parts for hours (a device that sends slowly, a storage location that
    hangs) holds half of the whole at most, a second one a quarter, and the rest go on. Only
    for one event loop.
    """

    def __init__(self, total: int, *, each: int | None = None) -> None:
        self._total = total
        self._free = total
        self._each = total if each is None else each
        self._held: Counter[Hashable] = Counter()
        self._wishes: list[_Wish] = []

    @asynccontextmanager
    async def lend(self, borrower: Hashable, size: int = 1) -> AsyncIterator[bool]:
        """Wait for a part; more than there is at all counts as all. Gives whether it took time."""
        wish = _Wish(borrower, min(size, self._total), asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._grant()
        waits = not wish.granted.done()
        try:
            await wish.granted
            yield waits
        finally:
            self._end(wish)

    def _grant(self) -> None:
        for wish in tuple(self._wishes):
            held = self._held[wish.borrower]
            if not held and wish.size > self._free:
                # Its turn has come: small wishes do not overtake a large one for ever.
                return
            if not held or held + wish.size <= min(self._each, self._free - wish.size):
                self._wishes.remove(wish)
                self._held[wish.borrower] += wish.size
                self._free -= wish.size
                wish.granted.set_result(None)

    def _end(self, wish: _Wish) -> None:
        if wish in self._wishes:
            self._wishes.remove(wish)  # cancelled while it waited
        else:
            self._free += wish.size
            self._held[wish.borrower] -= wish.size
            if not self._held[wish.borrower]:
                del self._held[wish.borrower]
        self._grant()


class NestedShares:
    """Half of ``total`` to a group at most, and there to each member as ``Shares`` lends.

    The vaults of a storage location that hangs are many: each alone would keep only a little.
    """

    def __init__(self, total: int, *, each: int | None = None) -> None:
        self._groups = Shares(total)
        self._members: defaultdict[Hashable, Shares] = defaultdict(
            lambda: Shares(total // 2, each=each)
        )

    @asynccontextmanager
    async def lend(self, group: Hashable, member: Hashable, size: int = 1) -> AsyncIterator[bool]:
        """As ``Shares.lend``."""
        async with (
            self._members[group].lend(member, size) as waited_for_members,
            self._groups.lend(group, size) as waited_for_groups,
        ):
            yield waited_for_members or waited_for_groups
