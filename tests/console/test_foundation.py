"""Headers, static files, sessions and the scope of an organisation."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import Role, SessionRow
from tests.console.people import Office


def test_a_page_for_members_sends_strangers_to_the_login(db: None, client: Client) -> None:
    answer = client.get("/devices")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/?next=/devices"


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_the_devices(client: Client, office: Office, role: Role) -> None:
    client.force_login(office.member(role))

    assert client.get("/devices").status_code == 200


def test_every_page_forbids_inline_script_and_other_hosts(owner: Client) -> None:
    answer = owner.get("/devices")

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.findall(r"https?:|\*", policy) == []
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page) is None
    assert re.search(r'(?:src|href)="(?:https?:)?//', page) is None


def test_static_files_may_be_kept_for_ever_under_the_address_of_their_content(
    owner: Client,
) -> None:
    found = re.search(r'href="(/static/[^"]+/kit\.css)"', owner.get("/devices").content.decode())
    assert found is not None

    fresh = owner.get(found[1])
    old = owner.get("/static/000000000000/kit.css")

    assert "immutable" in fresh.headers["Cache-Control"]
    assert old.headers["Cache-Control"] == "no-cache"
    assert old.content == fresh.content


@pytest.mark.parametrize("name", ["../settings.py", "no.css", "..%2f..%2fsettings.py"])
def test_only_known_static_files_are_served(db: None, client: Client, name: str) -> None:
    assert client.get(f"/static/000000000000/{name}").status_code == 404


def test_the_database_holds_no_session_cookie(owner: Client) -> None:
    owner.get("/devices")
    cookie = owner.cookies["everboot-session"].value

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_session")
        rows = repr(cursor.fetchall())

    assert "Some Owner" not in rows
    assert len(cookie) >= 32
    assert cookie not in rows


@pytest.mark.parametrize("column", ["seen_at", "created_at", "expire_date"])
def test_a_session_ends_when_idle_or_too_long(owner: Client, column: str) -> None:
    assert owner.get("/devices").status_code == 200

    SessionRow.objects.update(**{column: timezone.now() - timedelta(hours=13)})

    assert owner.get("/devices").status_code == 302


def test_a_session_in_use_is_noted(owner: Client) -> None:
    an_hour_ago = timezone.now() - timedelta(minutes=50)
    SessionRow.objects.update(seen_at=an_hour_ago)

    owner.get("/devices")

    assert SessionRow.objects.get().seen_at > an_hour_ago + timedelta(minutes=40)
