"""The audit log: only ever longer, and whoever changes it is found out."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from backup_agent.errors import UsageError
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.append_only import unguard
from console_ui.audit.chain import BrokenLink, first_broken_link, json_lines
from console_ui.audit.models import Entry
from console_ui.audit.record import entry_hash, record
from tests.console.people import Office


def _three(office: Office) -> list[Entry]:
    return [
        record(f"thing.{n}", by=THE_CONSOLE, organisation_id=office.organisation.pk, about="é")
        for n in range(3)
    ]


def test_a_whole_chain_has_no_broken_link(office: Office) -> None:
    _three(office)

    assert first_broken_link(office.organisation.pk) is None


def test_entries_can_neither_be_changed_nor_removed(office: Office) -> None:
    entry = _three(office)[0]

    with pytest.raises(UsageError):
        entry.save()
    with pytest.raises(UsageError):
        entry.delete()
    with pytest.raises(UsageError):
        Entry.objects.all().delete()
    with pytest.raises(UsageError):
        Entry.objects.update(action="nothing")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET about = 'somebody else' WHERE sequence = 2",
        "UPDATE audit_entry SET hash = hash",
        "DELETE FROM audit_entry WHERE sequence = 3",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 2",
        (
            "REPLACE INTO audit_entry (id, organisation_id, sequence, at, action, outcome,"
            " actor_kind, actor_id, actor_name, address, about, details, previous_hash, hash)"
            " SELECT id + 1000, organisation_id, sequence, at, 'forged', outcome, actor_kind,"
            " actor_id, actor_name, address, about, details, previous_hash, hash FROM audit_entry"
        ),
    ],
)
def test_the_database_itself_refuses_to_change_the_log(office: Office, change: str) -> None:
    _three(office)
    if connection.vendor == "sqlite" and change.startswith("TRUNCATE"):
        change = "DELETE FROM audit_entry WHERE true"
    if connection.vendor == "postgresql" and change.startswith("REPLACE"):
        change = (
            "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 2"
            " ON CONFLICT (id) DO UPDATE SET about = 'somebody else'"
        )

    with (
        pytest.raises(DatabaseError, match="can only be added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)

    assert Entry.objects.filter(organisation_id=office.organisation.pk).count() == 3
    assert first_broken_link(office.organisation.pk) is None


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        ("UPDATE audit_entry SET about = 'somebody else' WHERE sequence = 2", "changed"),
        ("DELETE FROM audit_entry WHERE sequence = 2", "missing"),
    ],
)
def test_a_forgery_in_the_database_is_found(office: Office, forgery: str, found: str) -> None:
    _three(office)
    unguard(connection)

    with connection.cursor() as cursor:
        cursor.execute(forgery)

    assert first_broken_link(office.organisation.pk) == BrokenLink(2, found)


def test_cutting_off_the_end_is_found(office: Office) -> None:
    _three(office)
    unguard(connection)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry WHERE sequence = 3")

    assert first_broken_link(office.organisation.pk) == BrokenLink(3, "missing")


def test_the_export_can_be_checked_by_others(office: Office) -> None:
    entries = _three(office)

    lines = [json.loads(line) for line in json_lines(entries)]

    assert [line["hash"] for line in lines] == [entry_hash(entry) for entry in entries]
    assert [line["previous_hash"] for line in lines[1:]] == [line["hash"] for line in lines[:2]]


def test_organisations_have_chains_of_their_own(office: Office, other_office: Office) -> None:
    _three(office)
    record("thing.else", by=THE_CONSOLE, organisation_id=other_office.organisation.pk)

    assert [e.sequence for e in Entry.objects.filter(action="thing.else")] == [1]


def test_entries_added_at_once_stand_behind_each_other(transactional_db: None) -> None:
    def add(number: int) -> None:
        record("thing.done", by=THE_CONSOLE, details={"number": number})
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(12)))

    sequences = list(Entry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, 13))
    assert first_broken_link(Entry.objects.all()[0].organisation_id) is None
