"""What the window computes before it shows anything."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone

import pytest

from backup_agent.agent.ran import Outcome
from backup_agent.agent.schedule import Daily, EveryHours, Monthly, OnRequest, Weekday, Weekly
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.gui.pages.history_of_runs import history_of
from backup_agent.gui.pages.overview import tomorrow_morning
from backup_agent.gui.sentences import headline, location_words, retention_words, schedule_words
from backup_agent.gui.wizards.draft import BALANCED, SHORT
from backup_agent.gui.wizards.foresight import foresee
from backup_agent.gui.wizards.storage_form import Kind, address_of, kind_of
from backup_agent.gui.wizards.strength import Strength, strength_of
from backup_agent.model.retention import RetentionPolicy
from backup_agent.qtkit.history import round_top
from backup_agent.qtkit.state import State
from tests.gui.played_desk import MACHINE, NOW, month_of_runs, problem, protected, run, warning


def test_one_sentence_answers_whether_one_is_safe() -> None:
    said = headline(protected(), NOW)
    assert (said.state, said.title) == (State.OK, "Protected")
    assert said.lead == "Last backup 1 hour ago, next today at 18:00."
    assert headline(warning(), NOW).title == "Warning: 3 items were left out"
    assert headline(problem(), NOW).title == "Problem: the storage is full"


def test_the_history_has_every_day_and_the_worst_of_each() -> None:
    history = history_of(month_of_runs(), NOW)
    assert len(history.days) == 30
    assert history.days[-1].date == NOW.date()
    assert sum(day.state is None for day in history.days) == 4
    twice = (run(MACHINE, 1, added=5), run(MACHINE, 2, Outcome.FAILED))
    today = history_of(twice, NOW).days[-1]
    assert (today.added, today.state) == (5, State.PROBLEM)


def test_a_run_that_was_stopped_is_no_backup_of_its_day() -> None:
    assert history_of((run(MACHINE, 1, Outcome.STOPPED),), NOW).days[-1].state is None


def test_axes_end_at_round_numbers() -> None:
    assert round_top([9.4e9]) == 1e10
    assert round_top([2.1]) == 5
    assert round_top([]) == 10
    assert round_top([11 * 60], base=60) == 20 * 60


def test_a_year_ahead_the_balanced_plan_keeps_days_then_months() -> None:
    judged = foresee(Daily(at=time(18)), BALANCED, now=NOW)
    stays = [point for point in judged if point.stays]
    assert 40 <= len(stays) <= 42
    assert len({point.time.date() for point in stays[-30:]}) == 30
    assert any(not point.stays for point in judged)
    fourteen = [point for point in foresee(Daily(at=time(18)), SHORT, now=NOW) if point.stays]
    assert len(fourteen) in (14, 15), "the oldest may stay until history is full"


def test_what_only_runs_when_asked_cannot_be_foreseen() -> None:
    assert foresee(OnRequest(), BALANCED, now=NOW) == ()


def test_without_rules_everything_stays() -> None:
    judged = foresee(EveryHours(hours=24), None, now=NOW)
    assert len(judged) == 365
    assert all(point.stays for point in judged)


@pytest.mark.parametrize(
    ("password", "strength"),
    [
        ("", Strength.WEAK),
        ("aaaaaaaaaaaaaaaaaaaa", Strength.WEAK),
        ("abcdefghijklmnop", Strength.WEAK),
        ("Zebra-9!", Strength.FAIR),
        ("correct horse battery staple", Strength.STRONG),
    ],
)
def test_passwords_are_judged_by_what_has_to_be_guessed(password: str, strength: Strength) -> None:
    assert strength_of(password) is strength


@pytest.mark.parametrize(
    ("kind", "typed", "address"),
    [
        (Kind.FOLDER, "/media/disk/backups", "/media/disk/backups"),
        (Kind.S3, "https://s3.example.org/b", "s3:https://s3.example.org/b"),
        (Kind.S3, "s3:https://s3.example.org/b", "s3:https://s3.example.org/b"),
        (Kind.SWIFT, "box:/office", "swift:box:/office"),
        (Kind.WEBDAV, "https://c.example.org/dav", "webdav:https://c.example.org/dav"),
        (Kind.REST, "https://b.example.org/x/", "rest:https://b.example.org/x/"),
        (Kind.VAULT, "", "vault:"),
    ],
)
def test_addresses_are_those_of_the_engine_and_lead_back(
    kind: Kind, typed: str, address: str
) -> None:
    assert address_of(kind, typed) == address
    assert kind_of(address)[0] is kind
    assert address_of(*kind_of(address)) == address


def test_schedules_and_rules_are_told_in_words() -> None:
    assert schedule_words(Daily(at=time(18))) == "Daily at 18:00"
    days = frozenset({Weekday.MONDAY, Weekday.FRIDAY})
    assert schedule_words(Weekly(days=days, at=time(7, 30))) == "Mon, Fri at 07:30"
    assert schedule_words(Monthly(day=1, at=time(3))) == "Monthly on day 1 at 03:00"
    assert schedule_words(EveryHours(hours=2)) == "Every 2 hours"
    assert retention_words(RetentionPolicy(daily=30, monthly=12)) == "30 days, 12 months"
    assert retention_words(None) == "Everything"


def test_a_pause_until_tomorrow_ends_at_eight_in_the_zone_of_the_person() -> None:
    zone = timezone(timedelta(hours=-5))
    late = datetime(2026, 11, 17, 23, 50, tzinfo=zone)
    assert tomorrow_morning(late) == datetime(2026, 11, 18, 8, tzinfo=zone)


def test_the_password_of_a_location_is_in_no_words() -> None:
    location = StorageLocation(address="rest:https://me:secret@backup.example.org/x/")
    assert "secret" not in location_words(location)
