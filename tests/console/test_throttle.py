"""Counting attempts: whatever happens at once, and from wherever they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from console_ui.accounts import guesses, recovery_codes, secret_links, throttle
from console_ui.accounts.models import (
    AuthenticatorApp,
    Purpose,
    SecretLink,
    SessionRow,
    ThrottleRow,
)
from console_ui.accounts.sessions import IDLE, LONGEST
from console_ui.audit.models import Entry
from console_ui.devices import limits
from console_ui.storage.housekeeping import Housekeeping
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in

RULE = throttle.Rule(
    name="test",
    free=3,
    window=timedelta(hours=1),
    first_wait=timedelta(minutes=1),
    longest=timedelta(minutes=10),
)


def test_a_count_that_goes_before_it_is_locked_begins_anew(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when somebody logs in while somebody else guesses at the same account."""
    throttle.attempt(RULE, "somebody")
    lock = QuerySet.select_for_update
    looked: list[str] = []

    def slowly(rows: QuerySet[ThrottleRow]) -> QuerySet[ThrottleRow]:
        if not looked:
            looked.append("once")
            throttle.succeeded(RULE, "somebody")
        return lock(rows)

    monkeypatch.setattr(QuerySet, "select_for_update", slowly)

    assert throttle.attempt(RULE, "somebody") is None
    assert ThrottleRow.objects.get().attempts == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.9", "203.0.113.10", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "testclient", False),
    ],
)
def test_who_has_a_network_of_ipv6_is_counted_as_one(one: str, other: str, same: bool) -> None:
    assert (throttle.source_of(one) == throttle.source_of(other)) is same


@pytest.mark.parametrize(
    "rule",
    [
        throttle.LOGIN_ADDRESS,
        throttle.FORGOTTEN_ADDRESS,
        throttle.PROGRAM_ADDRESS,
        throttle.PASSKEY_BEGUN,
        limits.CODE_ENTRY_ADDRESS,
        limits.NEW_REQUEST,
        limits.BAD_PROOF,
    ],
)
def test_rules_about_addresses_see_networks(db: None, rule: throttle.Rule) -> None:
    for number in range(rule.free):
        assert throttle.attempt(rule, f"2001:db8:1:2::{number:x}") is None

    assert throttle.attempt(rule, "2001:db8:1:2::ffff") is not None


def test_logins_are_counted_for_the_network_they_come_from(office: Office) -> None:
    def log_in_from(address: str) -> int:
        form = {"name": office.owner.email, "password": "wrong"}
        return Client(REMOTE_ADDR=address).post("/", form).status_code

    statuses = [log_in_from(f"2001:db8:1:2::{number:x}") for number in range(6)]

    assert statuses == [403] * 5 + [429]


def test_all_spellings_of_all_names_of_an_account_are_counted_as_one(office: Office) -> None:
    middle = office.owner.login_id[4:8]
    names = [f"SBA{'-' * some}{middle}{' ' * more}ADMIN" for some in range(3) for more in range(2)]

    statuses = [log_in(Client(), name, "wrong").status_code for name in names]

    assert statuses == [403] * 5 + [429]
    assert log_in(Client(), office.owner.email).status_code == 429


def test_programs_count_all_spellings_of_a_name_as_one(office: Office) -> None:
    middle = office.owner.login_id[4:8]
    rule = throttle.PROGRAM

    for number in range(rule.free):
        spelling = f"SBA-{middle}{' ' * number}ADMIN"
        assert throttle.attempt_all(guesses.by_program(spelling, "::1")) is None

    assert throttle.attempt_all(guesses.by_program(office.owner.email, "::1")) is not None


def test_right_logins_use_up_nothing_of_their_address(office: Office) -> None:
    for _ in range(throttle.LOGIN_ADDRESS.free + 5):
        assert log_in(Client(), office.owner.email).status_code == 302


def test_an_account_of_ones_own_buys_no_guesses_at_others(office: Office) -> None:
    statuses = []
    for number in range(throttle.LOGIN_ADDRESS.free + 1):
        log_in(Client(), office.viewer.email)
        statuses.append(log_in(Client(), f"{number}@keller.example", "wrong").status_code)

    assert statuses == [403] * throttle.LOGIN_ADDRESS.free + [429]


def test_strangers_keep_nobody_out_of_a_browser_that_is_known(office: Office) -> None:
    known = Client()
    log_in(known, office.owner.email)
    known.post("/logout")
    for number in range(throttle.LOGIN_ADDRESS.free + 1):
        log_in(Client(), f"{number}@keller.example", "wrong")
    assert log_in(Client(), office.owner.email).status_code == 429

    assert log_in(known, office.owner.email).status_code == 302


def test_a_known_browser_buys_no_more_guesses_than_others(office: Office) -> None:
    known = Client()
    log_in(known, office.owner.email)
    known.post("/logout")

    statuses = [log_in(known, office.owner.email, "wrong").status_code for _ in range(6)]

    assert statuses == [403] * 5 + [429]
    assert log_in(known, office.viewer.email).status_code == 302


def test_who_knows_the_password_does_not_keep_the_owner_from_the_second_step(
    office: Office,
) -> None:
    seed = enrol(office.owner)
    known = Client()
    log_in(known, office.owner.email)
    assert known.post("/login/code", {"code": fresh_code(seed)}).status_code == 302
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    log_in(stranger, office.owner.email)
    for _ in range(6):
        refused = stranger.post("/login/code", {"code": "000000"})
    assert refused.status_code == 429
    AuthenticatorApp.objects.update(last_step=0)

    form = {"password": PASSWORD, "code": fresh_code(seed)}
    assert known.post("/confirm", form).status_code == 302
    AuthenticatorApp.objects.update(last_step=0)
    elsewhere = Client(REMOTE_ADDR="203.0.113.10")
    log_in(elsewhere, office.owner.email)
    assert elsewhere.post("/login/code", {"code": fresh_code(seed)}).status_code == 302


def test_guessing_codes_from_everywhere_is_slowed_but_keeps_the_owner_out_of_no_way(
    office: Office,
) -> None:
    seed = enrol(office.owner)
    known = Client()
    log_in(known, office.owner.email)
    known.post("/login/code", {"code": fresh_code(seed)})
    known.post("/logout")
    statuses = []
    for number in range(throttle.SECOND_FACTOR_ACCOUNT.free + 1):
        stranger = Client(REMOTE_ADDR=f"203.0.113.{number}")
        log_in(stranger, office.owner.email)
        statuses.append(stranger.post("/login/code", {"code": "000000"}).status_code)
    assert statuses == [403] * throttle.SECOND_FACTOR_ACCOUNT.free + [429]
    AuthenticatorApp.objects.update(last_step=0)

    log_in(known, office.owner.email)
    assert known.post("/login/code", {"code": fresh_code(seed)}).status_code == 302
    with_paper = Client(REMOTE_ADDR="203.0.113.200")
    code = recovery_codes.renew(office.owner)[0]
    log_in(with_paper, office.owner.email)
    assert with_paper.post("/login/recovery", {"code": code}).status_code == 302


def test_the_log_does_not_grow_with_attempts_that_are_turned_away(office: Office) -> None:
    client = Client()
    for _ in range(5):
        log_in(client, office.owner.email, "wrong")
    for _ in range(20):
        assert log_in(client, office.owner.email, "wrong").status_code == 429

    whys = [entry.details["why"] for entry in Entry.objects.filter(action="login.refused")]
    assert sorted(whys) == ["password"] * 5 + ["throttled"]


def test_the_log_does_not_grow_with_confirmations_that_are_turned_away(
    client: Client, office: Office
) -> None:
    client.force_login(office.owner)
    for _ in range(20):
        client.post("/confirm", {"password": "wrong"})

    whys = [entry.details["why"] for entry in Entry.objects.filter(action="confirmation.refused")]
    assert sorted(whys) == ["password"] * 5 + ["throttled"]


def test_strangers_begin_only_so_many_sessions(db: None) -> None:
    statuses = [Client().get("/login/passkey").status_code for _ in range(40)]
    for _ in range(40):
        pretender = Client()
        pretender.cookies["everboot-session"] = "a" * 32
        statuses.append(pretender.get("/login/passkey").status_code)

    assert statuses == [200] * 60 + [429] * 20
    assert SessionRow.objects.count() == 60


def test_who_has_begun_a_session_goes_on_with_it(client: Client, db: None) -> None:
    client.get("/login/passkey")
    for _ in range(80):
        Client().get("/login/passkey")

    assert client.get("/login/passkey").status_code == 200


def test_housekeeping_forgets_what_is_over_and_nothing_else(client: Client, office: Office) -> None:
    now = timezone.now()
    throttle.attempt(RULE, "long ago")
    ThrottleRow.objects.update(window_ends_at=now - timedelta(seconds=1))
    throttle.attempt(RULE, "just now")
    for over in (
        {"expire_date": now - timedelta(seconds=1)},
        {"seen_at": now - IDLE - timedelta(seconds=1)},
        {"created_at": now - LONGEST - timedelta(seconds=1)},
    ):
        Client().get("/login/passkey")
        SessionRow.objects.filter(pk=SessionRow.objects.latest("created_at").pk).update(**over)
    ThrottleRow.objects.filter(attempts__gt=1).delete()
    client.force_login(office.owner)
    secret_links.make(Purpose.NEW_PASSWORD, user=office.owner)
    SecretLink.objects.update(expires_at=now - timedelta(seconds=1))
    secret_links.make(Purpose.NEW_PASSWORD, user=office.viewer)

    Housekeeping().round(now=now)

    assert ThrottleRow.objects.count() == 1
    assert [row.user for row in SessionRow.objects.all()] == [office.owner]
    assert [link.user for link in SecretLink.objects.all()] == [office.viewer]


@pytest.mark.usefixtures("transactional_db")
def test_of_attempts_at_once_each_is_counted_and_none_fails() -> None:
    def attempt(_number: int) -> bool:
        try:
            return throttle.attempt(RULE, "somebody") is None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        passed = list(pool.map(attempt, range(12)))

    assert sum(passed) == RULE.free
    assert ThrottleRow.objects.get().attempts == RULE.free
