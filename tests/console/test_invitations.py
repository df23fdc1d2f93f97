"""Who is invited joins, once, and by nobody's link but their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail as django_mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from console_ui.accounts import secret_links
from console_ui.accounts.models import (
    Membership,
    Purpose,
    Role,
    SecretLink,
    User,
)
from console_ui.accounts.models.user import UserManager
from console_ui.audit.models import Entry
from console_ui.web import mail
from tests.console.people import Office, log_in, make_office
from tests.console.secret_tokens import mailed_token, token_of


def test_somebody_invited_makes_an_account_and_joins(client: Client, office: Office) -> None:
    log_in(client, office.admin.email)
    client.post("/people/invite", {"email": "New@Keller.example", "role": "operator"})
    token = mailed_token()
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


@pytest.mark.parametrize("why", ["used", "expired"])
def test_a_spent_invitation_that_is_refused_is_in_the_audit_log_once(
    client: Client, office: Office, why: str
) -> None:
    link = secret_links.make(
        Purpose.INVITATION,
        email="new@keller.example",
        organisation=office.organisation,
        role=Role.VIEWER,
    )
    now = timezone.now()
    SecretLink.objects.update(**{"used_at" if why == "used" else "expires_at": now})

    for token in (token_of(link), token_of(link), "never made"):
        assert client.post("/invitation", {"token": token}).status_code == 403

    refused = Entry.objects.get(action="member.invitation_refused")
    assert (refused.organisation_id, refused.about) == (
        office.organisation.pk,
        "new@keller.example",
    )
    assert (refused.outcome, refused.details) == ("refused", {"why": why})
    assert token_of(link) not in str(Entry.objects.values())


def test_an_invitation_of_somebody_known_needs_their_login(
    client: Client, office: Office, other_office: Office
) -> None:
    log_in(client, office.owner.email)
    client.post("/people/invite", {"email": other_office.viewer.email, "role": "viewer"})
    token = mailed_token()
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


@pytest.mark.usefixtures("transactional_db")
def test_of_many_who_accept_an_invitation_at_once_one_succeeds_and_none_breaks() -> None:
    office = make_office("Keller Fontana Architects")
    link = secret_links.make(
        Purpose.INVITATION,
        email="new@keller.example",
        organisation=office.organisation,
        role=Role.VIEWER,
    )
    form = {"token": token_of(link), "name": "New", "password": "several words of mine"}

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
    form = {"token": token_of(link), "name": "New", "password": "several words of mine"}

    assert client.post("/invitation", form).headers["Location"] == "/invitation"
    assert secret_links.find(Purpose.INVITATION, token_of(link)) is not None


def test_a_mailbox_is_not_filled_by_strangers(client: Client, office: Office) -> None:
    for _ in range(6):
        client.post("/password/forgotten", {"name": office.owner.email})

    mail.wait_until_sent()
    assert len(django_mail.outbox) == 3
