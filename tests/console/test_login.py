"""Logging in: both names, every factor, and nobody learns anything by guessing."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from console_ui.accounts import recovery_codes, throttle, totp, trusted_browsers
from console_ui.accounts.hashing import Argon2id
from console_ui.accounts.models import (
    AuthenticatorApp,
    Role,
    ThrottleRow,
    TrustedBrowser,
    User,
)
from console_ui.audit.models import Entry
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in


def test_people_log_in_with_their_address_in_any_case(client: Client, office: Office) -> None:
    answer = log_in(client, office.owner.email.upper())

    assert answer.headers["Location"] == "/devices"
    assert client.get("/devices").status_code == 200


def test_people_log_in_with_their_login_id_however_typed(client: Client, office: Office) -> None:
    middle = office.owner.login_id[4:8]
    assert re.fullmatch(r"SBA-[0-9A-Z]{4}-ADMIN", office.owner.login_id)

    assert log_in(client, f"sba {middle.lower()}admin ").headers["Location"] == "/devices"


def test_a_wrong_name_and_a_wrong_password_look_the_same(client: Client, office: Office) -> None:
    unknown = log_in(client, "nobody@nowhere.example")
    wrong = log_in(client, office.owner.email, "wrong password")

    def told(page: bytes) -> list[str]:
        return re.findall(r'role="alert">.*?<p>(.*?)</p>', page.decode())

    assert (unknown.status_code, wrong.status_code) == (403, 403)
    assert told(unknown.content) == told(wrong.content) != []


@pytest.mark.parametrize(
    "name", ["nobody@keller.example", "SBA-ZZZZ-ADMIN", "owner@keller.example"]
)
def test_every_name_costs_one_slow_hash(
    client: Client, office: Office, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash takes nearly all of the time, so that time does not tell which names exist."""
    hashed: list[str] = []
    encode, verify = Argon2id.encode, Argon2id.verify

    def counted_encode(hasher: Argon2id, password: str, salt: str) -> str:
        hashed.append("encode")
        return encode(hasher, password, salt)

    def counted_verify(hasher: Argon2id, password: str, encoded: str) -> bool:
        hashed.append("verify")
        return verify(hasher, password, encoded)

    monkeypatch.setattr(Argon2id, "encode", counted_encode)
    monkeypatch.setattr(Argon2id, "verify", counted_verify)

    log_in(client, name, "wrong")

    assert len(hashed) == 1


def test_what_was_typed_as_an_unknown_name_is_written_nowhere(db: None, client: Client) -> None:
    log_in(client, "my-secret-password")

    assert Entry.objects.count() == 1
    assert "my-secret-password" not in repr(list(Entry.objects.values()))
    assert "my-secret" not in repr(list(ThrottleRow.objects.values()))


def test_the_session_key_changes_at_every_step(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    client.get("/login/passkey")
    keys = [client.cookies["everboot-session"].value]
    log_in(client, office.owner.email)
    keys.append(client.cookies["everboot-session"].value)
    client.post("/login/code", {"code": fresh_code(seed)})
    keys.append(client.cookies["everboot-session"].value)

    assert len(set(keys)) == 3


def test_the_password_alone_opens_nothing_with_a_second_factor(
    client: Client, office: Office
) -> None:
    enrol(office.owner)

    answer = log_in(client, office.owner.email)

    assert answer.headers["Location"] == "/login/code"
    assert client.get("/devices").status_code == 302


def test_a_code_completes_the_login_once(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    code = fresh_code(seed)
    log_in(client, office.owner.email)

    assert client.post("/login/code", {"code": code}).headers["Location"] == "/devices"

    second = Client()
    log_in(second, office.owner.email)
    replayed = second.post("/login/code", {"code": code})
    assert replayed.status_code == 403
    assert "used already" in replayed.content.decode()


def test_a_late_phone_is_told_that_it_is_late(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    log_in(client, office.owner.email)

    answer = client.post("/login/code", {"code": fresh_code(seed, at=time.time() - 240)})

    assert answer.status_code == 403
    assert "clock is 4 minutes late" in answer.content.decode()


def test_guessing_codes_is_stopped_and_goes_on_after_a_while(
    client: Client, office: Office
) -> None:
    seed = enrol(office.owner)
    log_in(client, office.owner.email)
    for _ in range(5):
        assert client.post("/login/code", {"code": "000000"}).status_code == 403

    assert client.post("/login/code", {"code": fresh_code(seed)}).status_code == 429

    ThrottleRow.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    assert client.post("/login/code", {"code": fresh_code(seed)}).status_code == 302


def test_a_recovery_code_lets_in_once_and_is_reported(client: Client, office: Office) -> None:
    enrol(office.owner)
    code = recovery_codes.renew(office.owner)[6]
    User.objects.update(kept_recovery_codes_at=timezone.now())
    log_in(client, office.owner.email)

    answer = client.post("/login/recovery", {"code": code.lower().replace("-", " ")})

    assert answer.headers["Location"] == "/devices"
    assert recovery_codes.left(office.owner) == 9
    mail.wait_until_sent()
    assert "Recovery code number 7" in django_mail.outbox[-1].subject
    second = Client()
    log_in(second, office.owner.email)
    assert second.post("/login/recovery", {"code": code}).status_code == 403


def test_guessing_recovery_codes_is_stopped(client: Client, office: Office) -> None:
    enrol(office.owner)
    log_in(client, office.owner.email)

    answers = [
        client.post("/login/recovery", {"code": "0000-0000-0000-0000"}).status_code
        for _ in range(6)
    ]

    assert answers == [403] * 5 + [429]


def test_guessing_passwords_is_slowed_down_but_never_for_good(
    client: Client, office: Office
) -> None:
    for _ in range(5):
        assert log_in(client, office.owner.email, "wrong").status_code == 403

    assert log_in(client, office.owner.email).status_code == 429

    ThrottleRow.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    assert log_in(client, office.owner.email).status_code == 302


def test_waiting_grows_and_ends(db: None) -> None:
    rule = throttle.Rule(
        name="test",
        free=1,
        window=timedelta(hours=1),
        first_wait=timedelta(seconds=10),
        longest=timedelta(seconds=35),
    )
    waits = []
    for _ in range(4):
        assert throttle.attempt(rule, "somebody") is None
        blocked = throttle.attempt(rule, "somebody")
        assert blocked is not None
        waits.append(blocked.seconds)
        ThrottleRow.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))

    assert waits == [10, 20, 35, 35]


def test_trust_leaves_the_code_out_until_it_is_ended(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    log_in(client, office.owner.email)
    client.post("/login/code", {"code": fresh_code(seed), "trust": "yes"})
    client.post("/logout")

    assert log_in(client, office.owner.email).headers["Location"] == "/devices"

    row = TrustedBrowser.objects.get()
    assert client.post(f"/2fa/browsers/{row.pk}/end").status_code == 302
    client.post("/logout")
    assert log_in(client, office.owner.email).headers["Location"] == "/login/code"


def test_trusting_a_browser_is_in_the_audit_log(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    log_in(client, office.owner.email)

    client.post("/login/code", {"code": fresh_code(seed), "trust": "on"})

    assert Entry.objects.get(action="browser.trusted").actor_name == office.owner.email


def test_trust_is_one_persons_and_ends_after_30_days(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    enrol(office.admin)
    log_in(client, office.owner.email)
    client.post("/login/code", {"code": fresh_code(seed), "trust": "yes"})
    client.post("/logout")
    assert log_in(client, office.admin.email).headers["Location"] == "/login/code"

    TrustedBrowser.objects.update(expires_at=timezone.now())

    assert log_in(client, office.owner.email).headers["Location"] == "/login/code"
    assert timedelta(days=30) == trusted_browsers.LIFE


def test_a_trusted_browser_proves_too_little_for_changes_of_factors(
    client: Client, office: Office
) -> None:
    seed = enrol(office.owner)
    log_in(client, office.owner.email)
    client.post("/login/code", {"code": fresh_code(seed), "trust": "yes"})
    assert client.get("/2fa/app").status_code == 200
    client.post("/logout")
    log_in(client, office.owner.email)

    assert client.get("/2fa/app").headers["Location"] == "/confirm?next=/2fa/app"


@pytest.mark.parametrize("wish", ["https://evil.example/", "//evil.example", "\\\\evil.example"])
def test_the_login_sends_nobody_to_other_hosts(client: Client, office: Office, wish: str) -> None:
    answer = client.post("/", {"name": office.owner.email, "password": PASSWORD, "next": wish})

    assert answer.headers["Location"] == "/devices"


def test_every_form_needs_this_browsers_token(office: Office) -> None:
    client = Client(enforce_csrf_checks=True)

    assert log_in(client, office.owner.email).status_code == 403
    client.force_login(office.owner)
    for page in ("/2fa/app", "/account", "/people/invite", "/organisation", "/logout"):
        assert client.post(page).status_code == 403


def test_resetting_at_the_login_needs_the_current_code_and_keeps_the_old_app_until_then(
    client: Client, office: Office
) -> None:
    old = enrol(office.owner)
    log_in(client, office.owner.email)

    answer = client.post("/login/code?reset", {"code": fresh_code(old)})

    assert answer.headers["Location"] == "/2fa/app"
    page = client.get("/2fa/app").content.decode()
    assert AuthenticatorApp.objects.filter(user=office.owner).exists()
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert secret is not None
    new = totp.Seed(_from_base32(secret[1]))
    assert client.post("/2fa/app", {"code": fresh_code(new)}).status_code == 302
    assert client.get("/devices").status_code == 200
    second = Client()
    log_in(second, office.owner.email)
    later = time.time() + 30
    assert second.post("/login/code", {"code": fresh_code(old, at=later)}).status_code == 403
    assert second.post("/login/code", {"code": fresh_code(new, at=later)}).status_code == 302


def test_logins_and_refusals_are_in_the_audit_log(client: Client, office: Office) -> None:
    log_in(client, office.viewer.email, "wrong")
    log_in(client, office.viewer.email)

    entries = Entry.objects.filter(organisation_id=office.organisation.pk).order_by("sequence")
    told = [(entry.action, entry.outcome, entry.actor_name) for entry in entries]
    email = office.viewer.email
    assert told == [("login.refused", "refused", email), ("login.done", "done", email)]
    assert json.dumps([entry.details for entry in entries]).count(PASSWORD) == 0


def test_somebody_deactivated_cannot_log_in_and_loses_the_session(
    client: Client, office: Office
) -> None:
    log_in(client, office.member(Role.ADMIN).email)
    User.objects.update(is_active=False)

    assert client.get("/devices").status_code == 302
    assert log_in(client, office.admin.email).status_code == 403


def _from_base32(text: str) -> bytes:
    import base64

    return base64.b32decode(text.replace(" ", ""))
