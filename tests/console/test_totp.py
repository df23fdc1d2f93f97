"""TOTP: right codes are taken once, and a wrong clock is told apart from a wrong code."""

from __future__ import annotations

import base64
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from console_ui.accounts import totp
from console_ui.accounts.models import AuthenticatorApp, User
from console_ui.accounts.totp import Accepted, AlreadyUsed, OutOfSync, Seed, Wrong
from tests.console.people import Office, make_office

SEED = Seed(b"12345678901234567890")
NOW = 1_111_111_109.0


def code_at(seconds: float, seed: Seed = SEED) -> str:
    """By oathtool, which shares no line with us."""
    command = ["oathtool", "--totp", "--base32", base64.b32encode(seed).decode()]
    return subprocess.check_output([*command, "--now", f"@{int(seconds)}"], text=True).strip()


def test_the_example_of_the_standard_holds() -> None:
    # RFC 6238, appendix B, shortened to six digits.
    assert totp.judge(SEED, "081804", now=NOW, last_step=0) == Accepted(int(NOW) // 30)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_code_of_the_steps_around_now_is_accepted(seconds: int) -> None:
    code = code_at(NOW + seconds)

    assert isinstance(totp.judge(SEED, code, now=NOW, last_step=0), Accepted)


@pytest.mark.parametrize("typed", [" {} ", "{0[0]} {0[1]}", "{0[0]}-{0[1]}"])
def test_spaces_and_dashes_do_not_matter(typed: str) -> None:
    code = code_at(NOW)
    text = typed.format(code) if "[" not in typed else typed.format((code[:3], code[3:]))

    assert isinstance(totp.judge(SEED, text, now=NOW, last_step=0), Accepted)


@pytest.mark.parametrize(("seconds", "told"), [(-240, -240), (60, 60), (300, 300), (-300, -300)])
def test_a_wrong_clock_is_told_apart(seconds: int, told: int) -> None:
    assert totp.judge(SEED, code_at(NOW + seconds), now=NOW, last_step=0) == OutOfSync(told)


@pytest.mark.parametrize(
    "typed", ["", "081805", "81804", "0818040", "\uff10\uff18\uff11\uff18\uff10\uff14", "abcdef"]
)
def test_anything_else_is_wrong(typed: str) -> None:
    assert totp.judge(SEED, typed, now=NOW, last_step=0) == Wrong()


def test_a_code_is_accepted_once_and_not_32_seconds_later(office: Office) -> None:
    totp.link(office.owner, SEED, first_step=0)
    code = code_at(NOW)

    assert isinstance(totp.accept(office.owner, code, now=NOW), Accepted)
    assert totp.accept(office.owner, code, now=NOW) == AlreadyUsed()
    assert totp.accept(office.owner, code, now=NOW + 30) == AlreadyUsed()
    assert not isinstance(totp.accept(office.owner, code, now=NOW + 32), Accepted)


def test_an_earlier_code_is_worthless_once_a_later_one_was_used(office: Office) -> None:
    totp.link(office.owner, SEED, first_step=0)

    totp.accept(office.owner, code_at(NOW), now=NOW)

    assert totp.accept(office.owner, code_at(NOW - 30), now=NOW) == AlreadyUsed()


def test_a_code_that_was_told_to_be_early_is_not_good_later(office: Office) -> None:
    totp.link(office.owner, SEED, first_step=0)
    early = code_at(NOW + 60)

    assert totp.accept(office.owner, early, now=NOW) == OutOfSync(60)

    assert totp.accept(office.owner, early, now=NOW + 31) == AlreadyUsed()
    assert totp.accept(office.owner, early, now=NOW + 61) == AlreadyUsed()
    assert isinstance(totp.accept(office.owner, code_at(NOW + 90), now=NOW + 90), Accepted)


def test_of_what_was_told_only_steps_to_come_are_remembered(office: Office) -> None:
    totp.link(office.owner, SEED, first_step=0)

    for minute in range(0, 60, 10):
        later = NOW + minute * 60
        totp.accept(office.owner, code_at(later + 90), now=later)

    assert len(AuthenticatorApp.objects.get().told_steps) == 1


def test_of_many_logins_at_once_with_one_code_only_one_succeeds(transactional_db: None) -> None:
    owner = make_office("Parallel").owner
    totp.link(owner, SEED, first_step=0)
    code = code_at(NOW)

    def log_in(_number: int) -> bool:
        try:
            verdict = totp.accept(User.objects.get(pk=owner.pk), code, now=NOW)
            return isinstance(verdict, Accepted)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(log_in, range(16)))

    assert accepted.count(True) == 1


def test_a_stolen_database_shows_no_seed(office: Office) -> None:
    seed = totp.new_seed()
    totp.link(office.owner, seed, first_step=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_seed FROM accounts_authenticatorapp")
        stored = bytes(cursor.fetchone()[0])

    assert bytes(seed) not in stored
    assert base64.b32encode(seed) not in stored


def test_a_sealed_seed_moved_to_another_account_opens_nothing(office: Office) -> None:
    from backup_agent.errors import IntegrityError

    totp.link(office.owner, SEED, first_step=0)
    app = AuthenticatorApp.objects.get(user=office.owner)
    AuthenticatorApp.objects.create(
        user=office.viewer, sealed_seed=bytes(app.sealed_seed), last_step=0
    )

    with pytest.raises(IntegrityError):
        totp.accept(office.viewer, code_at(time.time()), now=time.time())
