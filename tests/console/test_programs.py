"""Programs at the API: what opens it for them, and what guessing gets them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from console_ui.accounts import application_passwords
from console_ui.accounts.application_passwords import (
    Principal,
    Verdict,
    authenticate_program,
)
from console_ui.accounts.hashing import Argon2id
from console_ui.accounts.models import (
    Membership,
    Organisation,
    Role,
    Scope,
    ThrottleRow,
    User,
)
from console_ui.accounts.throttle import Blocked
from console_ui.audit.models import Entry
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, log_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


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
    # Three count attempts; the fourth remembers what was written into the audit log.
    assert ThrottleRow.objects.count() == 4


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
