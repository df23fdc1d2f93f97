"""Set-up, invitations, roles, mails, and the walls between organisations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core import mail as django_mail
from django.db import connection, connections
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console_ui.accounts import secret_links, throttle
from console_ui.accounts.models import (
    Membership,
    Organisation,
    Purpose,
    Role,
    SecretLink,
    SessionRow,
    ThrottleRow,
    User,
)
from console_ui.accounts.models.user import UserManager
from console_ui.audit import export
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.models import Entry
from console_ui.audit.record import canonical, record
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in, make_office


def _token(link: str) -> str:
    return link.partition("#")[2]


def _mailed_token() -> str:
    mail.wait_until_sent()
    found = re.search(r"#([\w-]{43})", str(django_mail.outbox[-1].body))
    assert found is not None
    return found[1]


SET_UP = {
    "organisation": "Keller",
    "name": "Mira Keller",
    "email": "Mira@Keller.example",
    "password": "several words of mine",
}


def test_the_set_up_link_makes_the_first_owner_once(db: None, client: Client) -> None:
    link = secret_links.make(Purpose.SET_UP)
    assert link.startswith("http://localhost:8470/setup#")

    answer = client.post("/setup", {**SET_UP, "token": _token(link)})

    assert answer.headers["Location"] == "/2fa"
    owner = User.objects.get()
    assert (owner.email, owner.memberships.get().role) == ("mira@keller.example", "owner")
    assert client.get("/devices").status_code == 200
    assert Client().get("/setup").status_code == 404
    assert Client().post("/setup", {**SET_UP, "token": _token(link)}).status_code == 404


@pytest.mark.parametrize("wrong", ["", "x" * 43])
def test_without_the_link_nobody_becomes_the_owner(db: None, client: Client, wrong: str) -> None:
    secret_links.make(Purpose.SET_UP)

    client.post("/setup", {**SET_UP, "token": wrong})

    assert not User.objects.exists()


def test_an_old_link_works_no_more(db: None, client: Client) -> None:
    token = _token(secret_links.make(Purpose.SET_UP))
    SecretLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    client.post("/setup", {**SET_UP, "token": token})

    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234", "mira@keller.example"])
def test_weak_passwords_are_refused(db: None, client: Client, password: str) -> None:
    token = _token(secret_links.make(Purpose.SET_UP))

    client.post("/setup", {**SET_UP, "password": password, "token": token})

    assert not User.objects.exists()


def test_somebody_invited_makes_an_account_and_joins(client: Client, office: Office) -> None:
    log_in(client, office.admin.email)
    client.post("/people/invite", {"email": "New@Keller.example", "role": "operator"})
    token = _mailed_token()
    guest = Client()

    page = guest.post("/invitation", {"token": token}).content.decode()
    assert "new@keller.example" in page
    answer = guest.post(
        "/invitation", {"token": token, "name": "New", "password": "several words of mine"}
    )

    assert answer.headers["Location"] == "/devices"
    joined = Membership.objects.get(user__email="new@keller.example")
    assert (joined.organisation, joined.role) == (office.organisation, "operator")
    assert guest.post("/invitation", {"token": token}).status_code == 403


def test_an_invitation_of_somebody_known_needs_their_login(
    client: Client, office: Office, other_office: Office
) -> None:
    log_in(client, office.owner.email)
    client.post("/people/invite", {"email": other_office.viewer.email, "role": "viewer"})
    token = _mailed_token()
    stranger = Client()
    stranger.post(
        "/invitation",
        {"token": token, "accept": "yes", "name": "Evil", "password": "several words of mine"},
    )
    assert not office.organisation.memberships.filter(user=other_office.viewer).exists()

    stranger.force_login(other_office.viewer)
    answer = stranger.post("/invitation", {"token": token, "accept": "yes"})

    assert answer.headers["Location"] == "/devices"
    assert other_office.viewer.memberships.count() == 2
    assert "Keller" in stranger.get("/account").content.decode()


def test_an_administrator_cannot_make_owners(client: Client, office: Office) -> None:
    log_in(client, office.admin.email)
    viewer = office.viewer.memberships.get()

    client.post("/people/invite", {"email": "x@keller.example", "role": "owner"})
    answer = client.post(f"/people/{viewer.pk}/role", {"role": "owner"})

    assert answer.status_code == 404
    assert not SecretLink.objects.exists()
    assert office.viewer.memberships.get().role == Role.VIEWER


@pytest.mark.parametrize("action", ["role", "remove", "reset", "alert"])
def test_an_administrator_cannot_touch_the_owner(
    client: Client, office: Office, action: str
) -> None:
    log_in(client, office.admin.email)
    owner = office.owner.memberships.get()

    assert client.post(f"/people/{owner.pk}/{action}", {"role": "viewer"}).status_code == 404
    assert office.owner.memberships.get().role == Role.OWNER


@pytest.mark.parametrize("action", ["role", "remove", "reset", "alert"])
def test_members_of_other_organisations_do_not_exist(
    client: Client, office: Office, other_office: Office, action: str
) -> None:
    log_in(client, office.owner.email)
    theirs = other_office.viewer.memberships.get()

    answer = client.post(f"/people/{theirs.pk}/{action}", {"role": "admin"})

    assert answer.status_code == 404
    assert Membership.objects.get(pk=theirs.pk).role == Role.VIEWER


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
@pytest.mark.parametrize("page", ["/people", "/audit", "/audit/export", "/organisation"])
def test_people_and_log_are_for_administrators(
    client: Client, office: Office, role: Role, page: str
) -> None:
    log_in(client, office.member(role).email)

    assert client.get(page).status_code == 403


def test_the_last_owner_stays(client: Client, office: Office) -> None:
    log_in(client, office.owner.email)
    mine = office.owner.memberships.get()

    client.post(f"/account/organisations/{mine.pk}/leave")
    client.post(f"/people/{mine.pk}/role", {"role": "viewer"})
    client.post(f"/people/{mine.pk}/remove")

    assert office.owner.memberships.get().role == Role.OWNER


def test_people_without_a_factor_are_marked_counted_and_filtered(
    client: Client, office: Office
) -> None:
    enrol(office.viewer)
    log_in(client, office.admin.email)

    everybody = client.get("/people").content.decode()
    without = client.get("/people?mfa=off").content.decode()

    assert "3 of 4 have no two-factor authentication" in everybody
    assert everybody.count('class="st bad"') == 3
    assert everybody.count('class="st ok"') == 1
    assert office.viewer.email not in without
    assert office.operator.email in without


def test_a_security_alert_is_mailed_but_not_without_end(client: Client, office: Office) -> None:
    log_in(client, office.admin.email)
    member = office.viewer.memberships.get()

    for _ in range(5):
        client.post(f"/people/{member.pk}/alert")

    mail.wait_until_sent()
    alerts = [each for each in django_mail.outbox if "security settings" in each.subject]
    assert len(alerts) == 3
    assert alerts[0].to == [office.viewer.email]
    assert Entry.objects.filter(action="member.security_alert_sent").count() == 3


def test_an_administrators_reset_takes_factor_trust_and_sessions(
    client: Client, office: Office
) -> None:
    enrol(office.viewer)
    viewer = Client()
    viewer.force_login(office.viewer)
    assert viewer.get("/devices").status_code == 200
    log_in(client, office.admin.email)

    client.post(f"/people/{office.viewer.memberships.get().pk}/reset")

    assert not User.objects.get(pk=office.viewer.pk).has_second_factor
    assert viewer.get("/devices").status_code == 302
    mail.wait_until_sent()
    assert django_mail.outbox[-1].to == [office.viewer.email]
    assert Entry.objects.filter(action="second_factor.reset").count() == 1


def test_nobody_resets_an_account_that_another_organisation_trusts(
    client: Client, office: Office, other_office: Office
) -> None:
    enrol(office.viewer)
    Membership.objects.create(
        user=office.viewer, organisation=other_office.organisation, role=Role.VIEWER
    )
    log_in(client, office.owner.email)

    client.post(f"/people/{office.organisation.memberships.get(user=office.viewer).pk}/reset")

    assert User.objects.get(pk=office.viewer.pk).has_second_factor


def test_a_forgotten_password_is_replaced_but_the_factor_is_still_asked(
    client: Client, office: Office
) -> None:
    seed = enrol(office.owner)
    client.post("/password/forgotten", {"name": office.owner.login_id})
    token = _mailed_token()

    answer = client.post("/password/new", {"token": token, "password": "several words of mine"})

    assert answer.headers["Location"] == "/"
    assert client.get("/devices").status_code == 302
    assert log_in(client, office.owner.email).status_code == 403
    again = log_in(client, office.owner.email, "several words of mine")
    assert again.headers["Location"] == "/login/code"
    assert client.post("/login/code", {"code": fresh_code(seed)}).status_code == 302
    used = client.post("/password/new", {"token": token, "password": "other words of mine"})
    assert used.status_code == 200


def test_a_mailed_link_is_worth_nothing_once_the_password_was_changed(
    client: Client, office: Office
) -> None:
    token = _token(secret_links.make(Purpose.NEW_PASSWORD, user=office.owner, email="a@b.example"))
    address = _token(secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@b.example"))
    other = _token(secret_links.make(Purpose.NEW_PASSWORD, user=office.viewer))
    log_in(client, office.owner.email)

    client.post("/account/password", {"password": "a new password, long"})

    Client().post("/password/new", {"token": token, "password": "the words of a thief"})
    client.post("/account/email/new", {"token": address})
    changed = User.objects.get(pk=office.owner.pk)
    assert changed.check_password("a new password, long")
    assert changed.email == office.owner.email
    assert secret_links.find(Purpose.NEW_PASSWORD, other) is not None


def test_a_link_in_the_old_mailbox_is_worth_nothing_once_the_address_was_changed(
    client: Client, office: Office
) -> None:
    old = _token(secret_links.make(Purpose.NEW_PASSWORD, user=office.owner, email="a@b.example"))
    address = _token(secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@b.example"))
    log_in(client, office.owner.email)

    client.post("/account/email/new", {"token": address})

    assert User.objects.get(pk=office.owner.pk).email == "x@b.example"
    assert secret_links.find(Purpose.NEW_PASSWORD, old) is None


def test_asking_for_a_forgotten_password_tells_nothing_about_accounts(
    client: Client, office: Office
) -> None:
    def shown(name: str) -> str:
        page = client.post("/password/forgotten", {"name": name}).content.decode()
        return re.sub(r'value="[^"]{64}"', "", page)

    assert shown(office.owner.email) == shown("nobody@nowhere.example")
    mail.wait_until_sent()
    assert len(django_mail.outbox) == 1


def test_only_so_many_forgotten_passwords_are_taken_from_one_address(
    client: Client, office: Office
) -> None:
    for number in range(throttle.FORGOTTEN_ADDRESS.free):
        client.post("/password/forgotten", {"name": f"{number}@nowhere.example"})

    answer = client.post("/password/forgotten", {"name": office.owner.email})

    assert answer.status_code == 429
    assert "on its way" not in answer.content.decode()
    assert "Too many attempts" in answer.content.decode()


def test_the_answer_does_not_wait_for_what_a_forgotten_password_takes(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_off: list[Callable[[], object]] = []
    monkeypatch.setattr("console_ui.accounts.pages.password.do_afterwards", put_off.append)
    seen: list[list[str]] = []
    for name in (office.owner.email, "nobody@nowhere.example"):
        with CaptureQueriesContext(connection) as queries:
            client.post("/password/forgotten", {"name": name})
        seen.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in queries])
        ThrottleRow.objects.all().delete()

    assert len(seen[0]) == len(seen[1])
    assert not any("accounts_user" in sql for sql in seen[0])
    for work in put_off:
        work()
    mail.wait_until_sent()
    assert [each.to for each in django_mail.outbox] == [[office.owner.email]]


@pytest.mark.usefixtures("transactional_db")
def test_of_many_who_accept_an_invitation_at_once_one_succeeds_and_none_breaks() -> None:
    office = make_office("Keller Fontana Architects")
    link = secret_links.make(
        Purpose.INVITATION,
        email="new@keller.example",
        organisation=office.organisation,
        role=Role.VIEWER,
    )
    form = {"token": _token(link), "name": "New", "password": "several words of mine"}

    def accept(_number: int) -> str:
        try:
            return Client().post("/invitation", form).headers.get("Location", "")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(accept, range(4)))

    assert answers.count("/devices") == 1
    assert User.objects.get(email="new@keller.example").memberships.count() == 1


def test_an_account_that_came_meanwhile_leaves_the_invitation_good(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when two organisations invite the same person, who accepts both at once."""
    link = secret_links.make(
        Purpose.INVITATION,
        email=office.viewer.email,
        organisation=office.organisation,
        role=Role.VIEWER,
    )
    monkeypatch.setattr(UserManager, "find", lambda _manager, _typed: None)
    form = {"token": _token(link), "name": "New", "password": "several words of mine"}

    assert client.post("/invitation", form).headers["Location"] == "/invitation"
    assert secret_links.find(Purpose.INVITATION, _token(link)) is not None


def test_a_mailbox_is_not_filled_by_strangers(client: Client, office: Office) -> None:
    for _ in range(6):
        client.post("/password/forgotten", {"name": office.owner.email})

    mail.wait_until_sent()
    assert len(django_mail.outbox) == 3


def test_a_new_address_counts_once_its_mail_was_read_and_both_are_told(
    client: Client, office: Office
) -> None:
    old = office.owner.email
    log_in(client, old)

    client.post("/account/email", {"email": "mira@new.example"})
    token = _mailed_token()
    assert User.objects.get(pk=office.owner.pk).email == old
    client.post("/account/email/new", {"token": token})

    assert User.objects.get(pk=office.owner.pk).email == "mira@new.example"
    mail.wait_until_sent()
    assert {each.to[0] for each in django_mail.outbox[-2:]} == {old, "mira@new.example"}


def test_somebody_elses_link_changes_no_address(client: Client, office: Office) -> None:
    link = secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@new.example")
    log_in(client, office.viewer.email)

    client.post("/account/email/new", {"token": _token(link)})

    assert not User.objects.filter(email="x@new.example").exists()


def test_one_session_can_be_ended_and_only_ones_own(
    client: Client, office: Office, other_office: Office
) -> None:
    log_in(client, office.owner.email)
    second = Client()
    log_in(second, office.owner.email)
    stranger = Client()
    log_in(stranger, other_office.owner.email)
    theirs = SessionRow.objects.get(user=other_office.owner).session_key
    page = client.get("/account").content.decode()
    (other,) = re.findall(r"/account/sessions/([0-9a-f]{40})/end", page)

    assert client.post(f"/account/sessions/{theirs}/end").status_code == 404
    assert client.post(f"/account/sessions/{other}/end").status_code == 302

    assert second.get("/devices").status_code == 302
    assert client.get("/devices").status_code == 200
    assert stranger.get("/devices").status_code == 200


def test_the_log_is_filtered_exported_and_ones_own(
    client: Client, office: Office, other_office: Office
) -> None:
    log_in(client, office.viewer.email, "wrong")
    log_in(Client(), other_office.owner.email)
    log_in(client, office.admin.email)

    refused = client.get("/audit?outcome=refused").content.decode()
    exported = client.get("/audit/export")

    assert refused.count("login.refused") == 1
    assert "login.done" not in refused
    assert isinstance(exported, StreamingHttpResponse)
    body = sent(exported)
    lines = [json.loads(line) for line in body.splitlines()]
    assert [line["action"] for line in lines] == ["login.refused", "login.done", "audit.exported"]
    assert other_office.owner.email not in body.decode()
    entries = Entry.objects.filter(organisation_id=office.organisation.pk).order_by("sequence")
    assert [json.loads(canonical(e)) | {"hash": e.hash} for e in entries] == lines
    assert "chain is whole" in client.get("/audit?check").content.decode()


def sent(answer: StreamingHttpResponse) -> bytes:
    """All that a streamed answer sends."""

    async def collected() -> list[bytes]:
        return [bytes(piece) async for piece in aiter(answer)]

    return b"".join(async_to_sync(collected)())


def test_a_long_log_is_exported_piece_by_piece(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PIECE_ENTRIES", 2)
    log_in(client, office.admin.email)
    for number in range(4):
        record(f"thing.{number}", by=THE_CONSOLE, organisation_id=office.organisation.pk)

    answer = client.get("/audit/export")

    assert isinstance(answer, StreamingHttpResponse)
    sequences = [json.loads(line)["sequence"] for line in sent(answer).splitlines()]
    assert sequences == [1, 2, 3, 4, 5, 6]


def test_members_of_two_organisations_see_one_at_a_time(
    client: Client, office: Office, other_office: Office
) -> None:
    second = Membership.objects.create(
        user=office.owner, organisation=other_office.organisation, role=Role.ADMIN
    )
    log_in(client, office.owner.email)
    assert other_office.viewer.email not in client.get("/people").content.decode()

    client.post(f"/account/organisations/{second.pk}/choose")

    page = client.get("/people").content.decode()
    assert other_office.viewer.email in page
    assert office.viewer.email not in page
    assert Organisation.objects.count() == 2
    assert ThrottleRow.objects.exists()


def test_the_language_is_chosen_without_an_account(client: Client, db: None) -> None:
    client.post("/language", {"language": "fr", "next": "/"})

    assert '<html lang="fr"' in client.get("/").content.decode()
    assert PASSWORD not in client.get("/").content.decode()
