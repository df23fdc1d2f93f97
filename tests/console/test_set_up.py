"""The set-up link, which makes the first owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console_ui.accounts import secret_links
from console_ui.accounts.models import (
    Purpose,
    SecretLink,
    User,
)
from tests.console.secret_tokens import token_of

SET_UP = {
    "organisation": "Keller",
    "name": "Mira Keller",
    "email": "Mira@Keller.example",
    "password": "several words of mine",
}


def test_the_set_up_link_makes_the_first_owner_once(db: None, client: Client) -> None:
    link = secret_links.make(Purpose.SET_UP)
    assert link.startswith("http://localhost:8470/setup#")

    answer = client.post("/setup", {**SET_UP, "token": token_of(link)})

    assert answer.headers["Location"] == "/2fa"
    owner = User.objects.get()
    assert (owner.email, owner.memberships.get().role) == ("mira@keller.example", "owner")
    assert client.get("/devices").status_code == 200
    assert Client().get("/setup").status_code == 404
    assert Client().post("/setup", {**SET_UP, "token": token_of(link)}).status_code == 404


@pytest.mark.parametrize("wrong", ["", "x" * 43])
def test_without_the_link_nobody_becomes_the_owner(db: None, client: Client, wrong: str) -> None:
    secret_links.make(Purpose.SET_UP)

    client.post("/setup", {**SET_UP, "token": wrong})

    assert not User.objects.exists()


def test_an_old_link_works_no_more(db: None, client: Client) -> None:
    token = token_of(secret_links.make(Purpose.SET_UP))
    SecretLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    client.post("/setup", {**SET_UP, "token": token})

    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234", "mira@keller.example"])
def test_weak_passwords_are_refused(db: None, client: Client, password: str) -> None:
    token = token_of(secret_links.make(Purpose.SET_UP))

    client.post("/setup", {**SET_UP, "password": password, "token": token})

    assert not User.objects.exists()
