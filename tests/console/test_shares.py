"""Who gets how much of what all requests share."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from console_ui.storage.gateway.shares import NestedShares, Shares


class Borrowers:
    """Tasks that keep what they were lent until the test ends, or they are told to give back."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self.got: list[str] = []
        self._loans: list[tuple[str, asyncio.Task[None], asyncio.Event]] = []

    async def ask(self, name: str, size: int = 1) -> None:
        back = asyncio.Event()
        self._loans.append((name, asyncio.create_task(self._hold(name, size, back)), back))
        await settle()

    async def give_back(self, name: str) -> None:
        loan = next(loan for loan in self._loans if loan[0] == name)
        self._loans.remove(loan)
        loan[2].set()
        await loan[1]
        await settle()

    async def cancel(self, name: str) -> None:
        loan = next(loan for loan in self._loans if loan[0] == name)
        self._loans.remove(loan)
        loan[1].cancel()
        await settle()

    async def close(self) -> None:
        for _name, task, _back in self._loans:
            task.cancel()
        await asyncio.gather(*(task for _, task, _ in self._loans), return_exceptions=True)

    async def _hold(self, name: str, size: int, back: asyncio.Event) -> None:
        async with self._shares.lend(name, size):
            self.got.append(name)
            await back.wait()


async def settle() -> None:
    """Until every task has done what it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _borrowers(stack: AsyncExitStack, total: int, each: int | None = None) -> Borrowers:
    borrowers = Borrowers(Shares(total, each=each))
    stack.push_async_callback(borrowers.close)
    return borrowers


def test_whoever_keeps_all_it_can_leaves_as_much_to_others() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            borrowers = await _borrowers(stack, 16)
            for _ in range(16):
                await borrowers.ask("greedy")
            for _ in range(16):
                await borrowers.ask("second")
            await borrowers.ask("modest")

            assert borrowers.got == ["greedy"] * 8 + ["second"] * 4 + ["modest"]

    asyncio.run(story())


def test_nobody_gets_more_than_each_may_have() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            borrowers = await _borrowers(stack, 100, each=2)
            for _ in range(3):
                await borrowers.ask("one")
            assert borrowers.got == ["one"] * 2

            await borrowers.give_back("one")
            assert borrowers.got == ["one"] * 3

    asyncio.run(story())


def test_small_wishes_do_not_overtake_a_large_one_for_ever() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            borrowers = await _borrowers(stack, 10)
            await borrowers.ask("first", 4)
            await borrowers.ask("large", 8)
            await borrowers.ask("small", 1)
            assert borrowers.got == ["first"]

            await borrowers.give_back("first")
            assert borrowers.got == ["first", "large", "small"]

    asyncio.run(story())


def test_a_wish_for_more_than_there_is_gets_all_of_it() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            borrowers = await _borrowers(stack, 10)
            await borrowers.ask("huge", 1000)
            await borrowers.ask("small")
            assert borrowers.got == ["huge"]

            await borrowers.give_back("huge")
            assert borrowers.got == ["huge", "small"]

    asyncio.run(story())


def test_who_stops_waiting_is_forgotten_and_who_is_cancelled_gives_back() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            borrowers = await _borrowers(stack, 10)
            await borrowers.ask("holder", 6)
            await borrowers.ask("large", 10)
            await borrowers.ask("small", 4)
            await borrowers.cancel("large")
            assert borrowers.got == ["holder", "small"]

            await borrowers.cancel("holder")
            await borrowers.ask("next", 6)
            assert borrowers.got == ["holder", "small", "next"]

    asyncio.run(story())


def test_a_loan_tells_whether_it_took_time() -> None:
    async def story() -> None:
        shares = Shares(1)

        async def second() -> bool:
            async with shares.lend("second") as took_time:
                return took_time

        async with shares.lend("first") as took_time:
            assert not took_time
            waiting = asyncio.create_task(second())
            await settle()
        assert await waiting

    asyncio.run(story())


def test_a_group_of_many_leaves_as_much_to_other_groups() -> None:
    async def story() -> None:
        shares = NestedShares(16, each=2)
        got: list[str] = []

        async def hold(group: str, member: int) -> None:
            async with shares.lend(group, member):
                got.append(group)
                await asyncio.Event().wait()

        many = [("hanging", n) for n in range(100)]
        others = [("healthy", 0)] * 3 + [("healthy", 1)]
        holders = [asyncio.create_task(hold(*each)) for each in (*many, *others)]
        await settle()

        assert got == ["hanging"] * 8 + ["healthy"] * 3
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)

    asyncio.run(story())
