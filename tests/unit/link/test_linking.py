"""Waiting for a person's answer, with a console that follows a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from backup_agent.errors import (
    EverbootError,
    JobCancelledError,
    LinkRefusedError,
    TransientStorageError,
)
from backup_agent.services.link.console import Codes, OauthError, Token
from backup_agent.services.link.linking import wait_for_answer

CODES = Codes("secret", "BCDF-GHJK", "https://backup.example.org/link", expires_in=600, interval=5)
TOKEN = Token("token", 600, "backup", "id", "ATELIER-01", "Keller")


@dataclass
class Script:
    """A console that answers what stands here, and a clock that only waiting moves."""

    answers: Iterator[Token | EverbootError]
    now: float = 0.0
    waited: list[float] = field(default_factory=list)

    def redeem(self, device_code: str) -> Token:
        assert device_code == "secret"
        match next(self.answers):
            case Token() as token:
                return token
            case error:
                raise error

    def fresh_token(self) -> Token:
        return TOKEN

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def run(*answers: Token | EverbootError) -> tuple[Token, list[float]]:
    script = Script(iter(answers))
    token = wait_for_answer(script, CODES, wait=script.wait, clock=script.clock)
    return token, script.waited


def says(error: str) -> OauthError:
    return OauthError(error, error)


def test_a_device_asks_at_the_pace_that_the_console_sets() -> None:
    pending, slower = says("authorization_pending"), says("slow_down")

    assert run(pending, slower, slower, pending, TOKEN) == (TOKEN, [5, 5, 10, 15, 15])


def test_a_console_that_is_away_is_asked_more_and_more_seldom() -> None:
    away = TransientStorageError("away")

    assert run(away, away, away, away, away, TOKEN) == (TOKEN, [5, 10, 20, 40, 60, 60])


def test_a_lost_answer_is_made_up_for_by_the_key() -> None:
    assert run(says("invalid_grant"))[0] == TOKEN


def test_a_refusal_ends_the_waiting() -> None:
    with pytest.raises(LinkRefusedError, match="refused"):
        run(says("authorization_pending"), says("access_denied"))


@pytest.mark.parametrize("told", [True, False])
def test_a_code_that_runs_out_ends_the_waiting(told: bool) -> None:
    answers = [says("authorization_pending")] * 200
    with pytest.raises(LinkRefusedError, match="in time"):
        run(*([says("expired_token")] if told else answers))


def test_an_error_that_nobody_foresaw_is_shown() -> None:
    with pytest.raises(OauthError, match="invalid_client"):
        run(says("invalid_client"))


def test_who_cancels_waits_no_longer() -> None:
    def cancelled(_seconds: float) -> None:
        raise JobCancelledError("stop")

    with pytest.raises(JobCancelledError):
        wait_for_answer(Script(iter(())), CODES, wait=cancelled, clock=lambda: 0.0)
