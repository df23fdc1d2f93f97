"""Forgotten passwords and new addresses: what a mailbox proves, and what it must not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console_ui.accounts import secret_links, throttle
from console_ui.accounts.models import (
    Purpose,
    ThrottleRow,
    User,
)
from console_ui.web import mail
from tests.console.people import Office, enrol, fresh_code, log_in
from tests.console.secret_tokens import mailed_token, token_of


def test_a_forgotten_password_is_replaced_but_the_factor_is_still_asked(
    client: Client, office: Office
) -> None:
    seed = enrol(office.owner)
    client.post("/password/forgotten", {"name": office.owner.login_id})
    token = mailed_token()

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
    token = token_of(
        secret_links.make(Purpose.NEW_PASSWORD, user=office.owner, email="a@b.example")
    )
    address = token_of(secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@b.example"))
    other = token_of(secret_links.make(Purpose.NEW_PASSWORD, user=office.viewer))
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
    old = token_of(secret_links.make(Purpose.NEW_PASSWORD, user=office.owner, email="a@b.example"))
    address = token_of(secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@b.example"))
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


def test_a_new_address_counts_once_its_mail_was_read_and_both_are_told(
    client: Client, office: Office
) -> None:
    old = office.owner.email
    log_in(client, old)

    client.post("/account/email", {"email": "mira@new.example"})
    token = mailed_token()
    assert User.objects.get(pk=office.owner.pk).email == old
    client.post("/account/email/new", {"token": token})

    assert User.objects.get(pk=office.owner.pk).email == "mira@new.example"
    mail.wait_until_sent()
    assert {each.to[0] for each in django_mail.outbox[-2:]} == {old, "mira@new.example"}


def test_somebody_elses_link_changes_no_address(client: Client, office: Office) -> None:
    link = secret_links.make(Purpose.NEW_EMAIL, user=office.owner, email="x@new.example")
    log_in(client, office.viewer.email)

    client.post("/account/email/new", {"token": token_of(link)})

    assert not User.objects.filter(email="x@new.example").exists()
