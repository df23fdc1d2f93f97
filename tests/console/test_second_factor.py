"""Turning second factors on and off, keeping recovery codes, and the gate before all else."""

from __future__ import annotations

import re

import pyotp
import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test import Client

from console_ui.accounts import recovery_codes
from console_ui.accounts.models import (
    AuthenticatorApp,
    Organisation,
    Role,
    SessionRow,
    TrustedBrowser,
    User,
)
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in


def _secret(page: str) -> str:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1]


def _codes(page: str) -> list[str]:
    return re.findall(r'class="nw">([0-9A-Z-]{19})<', page)


def _enrol_by_pages(client: Client) -> list[str]:
    """Link an app as people do; the ten codes."""
    secret = _secret(client.get("/2fa/app").content.decode())
    client.post("/2fa/app", {"code": pyotp.TOTP(secret.replace(" ", "")).now()})
    return _codes(client.get("/2fa/codes").content.decode())


def test_the_secret_is_160_bits_in_groups_of_four(client: Client, office: Office) -> None:
    log_in(client, office.owner.email)

    secret = _secret(client.get("/2fa/app").content.decode())

    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", secret)
    assert _secret(client.get("/2fa/app").content.decode()) == secret


def test_enrolment_ends_when_a_recovery_code_was_typed_back(client: Client, office: Office) -> None:
    log_in(client, office.owner.email)
    codes = _enrol_by_pages(client)
    assert len(set(codes)) == 10

    for elsewhere in ("/devices", "/account", "/2fa"):
        assert client.get(elsewhere).headers["Location"] == "/2fa/codes"
    assert client.post("/2fa/codes", {"code": "0000-0000-0000-0000"}).status_code == 403
    number = re.search(r"Type number (\d+)", client.get("/2fa/codes").content.decode())
    assert number is not None
    typed = codes[int(number[1]) - 1].lower().replace("-", "")
    assert client.post("/2fa/codes", {"code": typed}).headers["Location"] == "/2fa"

    assert client.get("/2fa/codes").headers["Location"] == "/2fa"
    assert client.get("/2fa/codes/download").status_code == 302
    assert not any(code in client.get("/2fa").content.decode() for code in codes)


def test_the_download_holds_all_ten_codes(client: Client, office: Office) -> None:
    log_in(client, office.owner.email)
    codes = _enrol_by_pages(client)

    file = client.get("/2fa/codes/download")

    assert re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", file.content.decode()) == codes
    assert "attachment" in file.headers["Content-Disposition"]


def test_codes_of_a_list_that_was_made_anew_elsewhere_do_not_count_as_kept(
    client: Client, office: Office
) -> None:
    log_in(client, office.owner.email)
    stale = _enrol_by_pages(client)
    number = re.search(r"Type number (\d+)", client.get("/2fa/codes").content.decode())
    assert number is not None
    recovery_codes.renew(office.owner)

    answer = client.post("/2fa/codes", {"code": stale[int(number[1]) - 1]})

    assert User.objects.get(pk=office.owner.pk).kept_recovery_codes_at is None
    assert "Make new codes" in answer.content.decode()
    assert client.get("/2fa/codes/download").status_code == 302


def test_codes_that_nobody_kept_are_made_anew_in_the_next_session(
    client: Client, office: Office
) -> None:
    log_in(client, office.owner.email)
    old = _enrol_by_pages(client)
    client.cookies.clear()
    log_in(client, office.owner.email)
    assert client.post("/login/recovery", {"code": old[0]}).status_code == 302

    assert client.get("/devices").headers["Location"] == "/2fa/codes"
    client.post("/2fa/codes/renew")
    new = _codes(client.get("/2fa/codes").content.decode())

    assert len(new) == 10
    assert not set(new) & set(old)
    assert recovery_codes.use(office.owner, old[1]) is None


def test_neither_codes_nor_sessions_can_be_read_in_the_database(
    client: Client, office: Office
) -> None:
    log_in(client, office.owner.email)
    codes = _enrol_by_pages(client)

    with connection.cursor() as cursor:
        cursor.execute("SELECT hash, selector FROM accounts_recoverycode")
        hashes = cursor.fetchall()
    session = Client().session
    stored = SessionRow.objects.filter(user=office.owner).get()
    decoded = repr(session.decode(stored.session_data))

    assert all(str(each[0]).startswith("argon2$argon2id$") for each in hashes)
    assert not any(code[2:] in repr(hashes) or code in decoded for code in codes)


def test_a_recovery_code_can_be_used_once(office: Office) -> None:
    codes = recovery_codes.renew(office.owner)

    assert [recovery_codes.use(office.owner, codes[3]) for _ in range(2)] == [4, None]
    assert recovery_codes.use(office.viewer, codes[4]) is None
    assert recovery_codes.use(office.owner, "") is None


def test_removing_needs_password_and_code(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    client.force_login(office.owner)

    answer = client.post("/2fa/app/remove", {"page": "/2fa"})
    assert answer.headers["Location"] == "/confirm?next=/2fa"
    for wrong in (
        {"password": PASSWORD, "code": "000000"},
        {"password": "wrong", "code": fresh_code(seed)},
    ):
        assert client.post("/confirm", wrong).status_code == 403
    assert AuthenticatorApp.objects.filter(user=office.owner).exists()
    right = {"password": PASSWORD, "code": fresh_code(seed), "next": "/2fa"}
    assert client.post("/confirm", right).headers["Location"] == "/2fa"

    client.post("/2fa/app/remove")

    assert not AuthenticatorApp.objects.exists()
    assert recovery_codes.left(office.owner) == 0
    mail.wait_until_sent()
    assert "removed" in django_mail.outbox[-1].subject


def test_the_last_factor_stays_where_it_is_required(client: Client, office: Office) -> None:
    seed = enrol(office.owner)
    Organisation.objects.update(requires_second_factor=True)
    log_in(client, office.owner.email)
    client.post("/login/code", {"code": fresh_code(seed)})

    page = client.get("/2fa").content.decode()
    client.post("/2fa/app/remove")

    assert re.search(r'<button class="btn bad"[^>]* disabled[^>]*>Remove', page)
    assert "required by Keller Fontana Architects" in page
    assert AuthenticatorApp.objects.exists()


@pytest.mark.parametrize("page", ["/devices", "/account", "/people", "/people/invite"])
def test_requiring_a_factor_stops_open_sessions_at_the_next_click(
    client: Client, office: Office, page: str
) -> None:
    client.force_login(office.admin)
    assert client.get(page).status_code in {200, 302}

    Organisation.objects.filter(pk=office.organisation.pk).update(requires_second_factor=True)

    assert client.get(page).headers["Location"] == "/2fa"
    told = client.get(page, headers={"Accept": "application/json"}).json()
    assert told == {
        "code": "mfa_enrolment_required",
        "message": "A second factor must be set up first.",
    }
    shown = client.get("/2fa").content.decode()
    assert "Keller Fontana Architects asks every member" in shown
    assert "Leave organisation" in shown


def test_whoever_is_stopped_may_enrol_leave_or_log_out(client: Client, office: Office) -> None:
    client.force_login(office.viewer)
    Organisation.objects.update(requires_second_factor=True)

    assert client.get("/2fa/app").headers["Location"].startswith("/confirm")
    assert client.post("/confirm", {"password": PASSWORD}).status_code == 302
    assert client.get("/2fa/app").status_code == 200
    membership = office.viewer.memberships.get()
    assert client.post(f"/account/organisations/{membership.pk}/leave").status_code == 302
    assert client.get("/account").status_code == 200
    assert not office.viewer.memberships.exists()


def test_requiring_a_factor_needs_one_oneself(client: Client, office: Office) -> None:
    log_in(client, office.owner.email)

    client.post("/organisation", {"require": "yes"})
    assert not Organisation.objects.get().requires_second_factor
    enrol(office.owner)
    client.post("/organisation", {"require": "yes"})

    assert Organisation.objects.get().requires_second_factor


def test_a_new_password_ends_other_sessions_and_trust_but_keeps_the_factor(
    client: Client, office: Office
) -> None:
    seed = enrol(office.owner)
    other = Client()
    other.force_login(office.owner)
    log_in(client, office.owner.email)
    client.post("/login/code", {"code": fresh_code(seed), "trust": "yes"})

    client.post("/account/password", {"password": "a new password, long"})

    assert client.get("/devices").status_code == 200
    assert other.get("/devices").status_code == 302
    assert not TrustedBrowser.objects.exists()
    assert User.objects.get(pk=office.owner.pk).has_second_factor
    assert office.owner.memberships.get().role == Role.OWNER
