"""Tokens that renew themselves, however many threads ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_agent.services.link.console import Token
from backup_agent.services.link.tokens import DeviceTokens


@dataclass
class Giver:
    """Counts the tokens it gave; its clock stands still unless told otherwise."""

    given: int = 0
    now: float = 0.0

    def fresh_token(self) -> Token:
        self.given += 1
        return Token(f"token {self.given}", 600, "backup", "id", "ATELIER-01", "Keller")

    def close(self) -> None:
        self.given = -1

    def clock(self) -> float:
        return self.now


def test_a_token_is_renewed_a_minute_before_it_ends() -> None:
    giver = Giver()
    tokens = DeviceTokens(giver, clock=giver.clock)
    assert tokens.current() == "token 1"

    giver.now = 539
    assert tokens.current() == "token 1"
    giver.now = 540
    assert tokens.current() == "token 2"


def test_many_threads_that_are_refused_together_fetch_one_token() -> None:
    giver = Giver()
    tokens = DeviceTokens(giver, clock=giver.clock)
    refused = tokens.current()

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: tokens.instead_of(refused), range(32)))

    assert got == {"token 2"}
    assert giver.given == 2


def test_who_closes_the_tokens_closes_what_they_come_from() -> None:
    giver = Giver()

    DeviceTokens(giver, clock=giver.clock).close()

    assert giver.given == -1
