"""Five hundred people and ten thousand entries: pages ask the database no more than for ten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console_ui.accounts.models import Membership, Organisation, Role, User
from console_ui.audit.models import Entry
from tests.console.people import Office, log_in

PAGES = (
    "/people",
    "/people?mfa=off",
    "/people?words=Person",
    "/people?page=7",
    "/organisation?ask",
    "/audit",
    "/audit?page=150",
    "/audit?words=keller&outcome=done",
    "/account",
    "/2fa",
    "/account/application-passwords",
    "/devices",
)


def _add_people(organisation: Organisation, *numbers: int) -> None:
    people = User.objects.bulk_create(
        User(email=f"person{n:03}@keller.example", name=f"Person {n:03}", login_id=f"P{n:07}")
        for n in range(*numbers)
    )
    Membership.objects.bulk_create(
        Membership(user=each, organisation=organisation, role=Role.VIEWER) for each in people
    )


def _add_entries(organisation: Organisation, count: int) -> None:
    first = Entry.objects.filter(organisation_id=organisation.pk).count() + 1
    Entry.objects.bulk_create(
        Entry(
            organisation_id=organisation.pk,
            sequence=first + n,
            at=datetime(2030, 1, 1, tzinfo=UTC),
            action="login.done",
            outcome="done",
            actor_kind="person",
            actor_name=f"person{n % 500:03}@keller.example",
            hash=f"{n:064}",
        )
        for n in range(count)
    )


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(page).status_code == 200
    return len(asked)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_asks_more_for_five_hundred_people(office: Office, page: str) -> None:
    client = Client()
    log_in(client, office.owner.email)
    _add_people(office.organisation, 5)
    _add_entries(office.organisation, 60)
    client.get(page)
    for_few = _queries(client, page)

    _add_people(office.organisation, 5, 500)
    _add_entries(office.organisation, 10_000)

    assert _queries(client, page) <= for_few <= 20


def test_people_are_paged_and_found(owner: Client, office: Office) -> None:
    _add_people(office.organisation, 120)

    first = owner.get("/people").content.decode()
    last = owner.get("/people?page=3").content.decode()
    found = owner.get("/people?words=PERSON017").content.decode()

    assert "124 of 124 have no two-factor" in first
    assert first.count('class="end num"') == 50
    assert "Page 1 of 3" in first
    assert last.count('class="end num"') == 24
    assert "person017@keller.example" in found
    assert found.count('class="end num"') == 1


def test_the_search_is_kept_from_page_to_page(owner: Client, office: Office) -> None:
    _add_people(office.organisation, 60)

    page = owner.get("/people?mfa=off&words=Person").content.decode()

    assert 'href="?mfa=off&amp;words=Person&amp;page=2"' in page
