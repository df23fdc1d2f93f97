"""Turning second factors on and off, keeping recovery codes, and the gate before all else."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pyotp
import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from console_ui.accounts import application_passwords, recovery_codes
from console_ui.accounts.application_passwords import (
    Principal,
    Verdict,
    authenticate_program,
)
from console_ui.accounts.hashing import Argon2id
from console_ui.accounts.models import (
    AuthenticatorApp,
    Membership,
    Organisation,
    Role,
    Scope,
    SessionRow,
    ThrottleRow,
    TrustedBrowser,
    User,
)
from console_ui.accounts.throttle import Blocked
from console_ui.audit.models import Entry
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


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


def test_an_application_password_opens_what_it_is_for(office: Office) -> None:
    row, password = application_passwords.make(
        office.owner, office.organisation, name="restic", scopes=[Scope.STORAGE]
    )
    assert len(password.replace("-", "")) >= 24

    def opens(scope: Scope, text: str = password) -> Verdict:
        return authenticate_program(office.owner.email, text, scope=scope, address="203.0.113.9")

    found = opens(Scope.STORAGE)
    assert isinstance(found, Principal)
    assert (found.user, found.role, found.application_password) == (office.owner, "owner", row)
    assert isinstance(opens(Scope.STORAGE_READ), Principal)
    assert opens(Scope.API) is None
    assert opens(Scope.STORAGE, password[:-1] + ("0" if password[-1] != "0" else "1")) is None
    application_passwords.revoke([row])
    assert opens(Scope.STORAGE) is None


@pytest.mark.parametrize("way", ["removed", "left"])
def test_an_application_password_dies_with_the_membership_for_good(
    client: Client, office: Office, way: str
) -> None:
    _row, password = application_passwords.make(
        office.viewer, office.organisation, name="script", scopes=[Scope.API]
    )
    member = office.viewer.memberships.get()
    log_in(client, (office.owner if way == "removed" else office.viewer).email)
    page = f"/people/{member.pk}/remove"
    client.post(page if way == "removed" else f"/account/organisations/{member.pk}/leave")
    assert not office.viewer.memberships.exists()

    Membership.objects.create(
        user=office.viewer, organisation=office.organisation, role=Role.VIEWER
    )

    found = authenticate_program(office.viewer.email, password, scope=Scope.API, address="::1")
    assert found is None


def test_enforcement_stops_programs_of_people_without_a_factor_at_their_next_request(
    office: Office,
) -> None:
    _row, password = application_passwords.make(
        office.operator, office.organisation, name="script", scopes=[Scope.API]
    )
    assert asked_by_program(office.operator.email, password).status_code == 200

    Organisation.objects.update(requires_second_factor=True)

    for secret in (password, PASSWORD):
        refused = asked_by_program(office.operator.email, secret)
        assert (refused.status_code, refused.json()["code"]) == (403, "mfa_enrolment_required")
    assert asked_by_program(office.operator.email, "wrong").status_code == 401
    enrol(office.operator)
    assert asked_by_program(office.operator.email, password).status_code == 200


@pytest.mark.parametrize("who", ["nobody", "owner", "enrolled", "inactive", "homeless"])
def test_programs_learn_neither_by_time_nor_by_counting_which_accounts_there_are(
    office: Office, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash takes nearly all of the time; counters are made for every name."""
    enrol(office.admin)
    User.objects.filter(pk=office.operator.pk).update(is_active=False)
    office.viewer.memberships.all().delete()
    names = {
        "nobody": "nobody@keller.example",
        "owner": office.owner.email,
        "enrolled": office.admin.email,
        "inactive": office.operator.email,
        "homeless": office.viewer.email,
    }
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

    assert asked_by_program(names[who], "wrong").status_code == 401

    assert len(hashed) == 1
    assert ThrottleRow.objects.count() == 3


def asked_by_program(login: str, password: str) -> Answer:
    credentials = base64.b64encode(f"{login}:{password}".encode()).decode()
    return Client().get("/api/v1/devices", headers={"Authorization": f"Basic {credentials}"})


def test_a_program_with_the_account_password_comes_as_often_as_it_likes(office: Office) -> None:
    statuses = {asked_by_program(office.viewer.email, PASSWORD).status_code for _ in range(70)}

    assert statuses == {200}


def test_a_new_password_ends_what_the_old_one_opened_for_programs(office: Office) -> None:
    assert asked_by_program(office.viewer.email, PASSWORD).status_code == 200

    office.viewer.set_password("several words of mine")
    office.viewer.save()

    assert asked_by_program(office.viewer.email, PASSWORD).status_code == 401


def test_a_second_factor_ends_what_the_account_password_opened_at_once(office: Office) -> None:
    assert asked_by_program(office.viewer.email, PASSWORD).status_code == 200

    enrol(office.viewer)

    assert asked_by_program(office.viewer.email, PASSWORD).status_code == 401


def test_guessing_application_passwords_is_stopped(db: None) -> None:
    answers = [
        authenticate_program("x", "wrong", scope=Scope.API, address="203.0.113.9")
        for _ in range(61)
    ]

    assert answers[:60] == [None] * 60
    assert isinstance(answers[60], Blocked)


def test_a_stale_program_keeps_nobody_else_at_its_address_waiting(
    client: Client, office: Office
) -> None:
    _row, good = application_passwords.make(
        office.owner, office.organisation, name="script", scopes=[Scope.API]
    )
    statuses = [asked_by_program("old@keller.example", "stale").status_code for _ in range(70)]
    assert statuses == [401] * 60 + [429] * 10

    assert log_in(client, office.owner.email).status_code == 302
    assert asked_by_program(office.viewer.email, PASSWORD).status_code == 200
    assert asked_by_program(office.owner.email, good).status_code == 200
    client.post("/password/forgotten", {"name": office.viewer.email})
    mail.wait_until_sent()
    assert django_mail.outbox[-1].to == [office.viewer.email]


def test_programs_that_guess_are_in_the_audit_log_once_an_hour_and_once_a_block(
    office: Office,
) -> None:
    def refused() -> list[tuple[str, str]]:
        entries = Entry.objects.filter(action="program.refused", outcome="refused")
        return [(entry.actor_name, entry.details["why"]) for entry in entries.order_by("pk")]

    who = office.viewer.email
    asked_by_program(who, "wrong")
    assert refused() == [(who, "password")]
    for _ in range(70):
        asked_by_program(who, "wrong")
    assert refused() == [(who, "password"), (who, "throttled")]

    ThrottleRow.objects.update(blocked_until=None, window_ends_at=timezone.now())
    asked_by_program(who, "wrong")
    assert refused()[2:] == [(who, "password")]


def test_names_that_nobody_has_make_one_audit_entry_an_hour_and_are_not_repeated(
    office: Office,
) -> None:
    for number in range(3):
        authenticate_program(
            f"secret{number}",
            "wrong",
            scope=Scope.STORAGE,
            address="203.0.113.9",
            organisation_id=office.organisation.pk,
        )

    entry = Entry.objects.get(action="program.refused")
    assert entry.organisation_id == office.organisation.pk
    assert (entry.actor_name, entry.address) == ("", "203.0.113.9")


def test_the_account_password_opens_programs_only_without_a_second_factor(
    office: Office,
) -> None:
    def opens() -> Verdict:
        return authenticate_program(
            office.owner.email, PASSWORD, scope=Scope.STORAGE, address="203.0.113.9"
        )

    assert isinstance(opens(), Principal)
    enrol(office.owner)
    assert opens() is None


def test_an_application_password_opens_no_login_and_is_somebodys_own(
    client: Client, office: Office
) -> None:
    _row, password = application_passwords.make(
        office.owner, office.organisation, name="restic", scopes=list(Scope)
    )

    assert log_in(client, office.owner.email, password).status_code == 403
    assert asked_by_program(office.viewer.email, password).status_code == 401
    assert asked_by_program(office.owner.email, password).status_code == 200


def test_the_page_shows_an_application_password_once(client: Client, office: Office) -> None:
    log_in(client, office.viewer.email)

    made = client.post(
        "/account/application-passwords/make",
        {"name": "restic on NAS", "scope": "api", "days": "30"},
    ).content.decode()

    shown = re.search(r'id="password">([0-9A-Z-]+)<', made)
    assert shown is not None
    listing = client.get("/account/application-passwords").content.decode()
    assert "restic on NAS" in listing
    assert shown[1] not in listing
    client.post("/account/application-passwords/revoke")
    listing = client.get("/account/application-passwords").content.decode()
    assert "restic on NAS" not in listing


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
