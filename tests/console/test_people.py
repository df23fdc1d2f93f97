"""Members and their roles, what administrators may do, and the walls between organisations."""

from __future__ import annotations

import json
import re

import pytest
from asgiref.sync import async_to_sync
from django.core import mail as django_mail
from django.http import StreamingHttpResponse
from django.test import Client

from console_ui.accounts.models import (
    Membership,
    Organisation,
    Role,
    SecretLink,
    SessionRow,
    ThrottleRow,
    User,
)
from console_ui.audit import export
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.models import Entry
from console_ui.audit.record import canonical, record
from console_ui.web import mail
from tests.console.people import PASSWORD, Office, enrol, log_in


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
