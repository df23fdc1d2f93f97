"""What people are told without looking, and that each of them decides of what."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import User
from console_ui.activity.models import Thresholds
from console_ui.alerts.models import Alert, AlertKind
from console_ui.alerts.watch import look
from console_ui.alerts.words import advice, path, sentence
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.record import record
from console_ui.devices import linking
from console_ui.devices.models import Device
from console_ui.storage.models import Location, Vault
from console_ui.web import mail
from tests.console.people import Office
from tests.console.reporting import plan, reporting_device

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

DISK, MAIL = (str(uuid.UUID(int=n)) for n in (1, 2))


@pytest.fixture
def posted(mailoutbox: list[EmailMessage]) -> Iterator[list[EmailMessage]]:
    """The mails that have left; ask ``left`` for them."""
    yield mailoutbox
    mail.wait_until_sent()


def left(posted: list[EmailMessage]) -> list[tuple[str, str]]:
    """(to whom, about what) of every mail so far, and none of them a second time."""
    mail.wait_until_sent()
    found = sorted((each.to[0].partition("@")[0], str(each.subject)) for each in posted)
    posted.clear()
    return found


def lasting() -> list[str]:
    return sorted(Alert.objects.filter(ended_at=None).values_list("kind", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_failed_is_told_once_until_one_succeeds(
    office: Office, posted: list[EmailMessage]
) -> None:
    device = reporting_device(office)
    left(posted)

    device.runs("failed", message="The vault is full.")
    device.runs("failed", message="The vault is full.")
    everybody = [(each, "The backup of ATELIER-01 failed.") for each in ROLES]
    assert left(posted) == everybody
    assert lasting() == ["failed"]

    device.runs("done")
    assert lasting() == []
    device.runs("failed")
    assert left(posted) == everybody


ROLES = ["admin", "operator", "owner", "viewer"]


def test_omissions_are_an_alert_of_their_own(office: Office) -> None:
    device = reporting_device(office)
    device.runs("failed")

    device.runs("incomplete", omitted=14)

    assert lasting() == ["omissions"]
    client = Client()
    client.force_login(office.viewer)
    assert "The backup of ATELIER-01 left 14 items out." in client.get("/alerts").content.decode()


def test_a_run_that_somebody_stopped_is_no_alert(office: Office) -> None:
    reporting_device(office).runs("stopped")

    assert lasting() == []


def test_a_silent_device_is_found_and_forgotten_when_it_speaks(office: Office) -> None:
    device = reporting_device(office)
    past = timezone.now() - timedelta(days=9)
    Device.objects.filter(pk=device.row.pk).update(linked_at=past, seen_at=past)

    look(now=timezone.now())
    look(now=timezone.now())

    assert lasting() == ["silent"]
    assert Alert.objects.get(kind="silent").number == 9
    device.heartbeat()
    look(now=timezone.now())
    assert lasting() == []


def test_nobody_waits_for_a_device_that_was_removed(office: Office) -> None:
    device = reporting_device(office)
    look(now=timezone.now() + timedelta(days=8))
    assert lasting() == ["silent"]

    Device.objects.filter(pk=device.row.pk).update(revoked_at=timezone.now())
    look(now=timezone.now() + timedelta(days=8))

    assert lasting() == []


def test_one_plans_success_does_not_end_anothers_alert(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan("Disk", key=DISK), plan("Mail", key=MAIL))
    device.runs("incomplete", plan=DISK, plan_name="Disk", omitted=298)
    device.runs("failed", plan=MAIL, plan_name="Mail")
    assert lasting() == ["failed", "omissions"]

    device.runs("done", plan=MAIL, plan_name="Mail")

    assert lasting() == ["omissions"]
    client = Client()
    client.force_login(office.viewer)
    page = client.get("/alerts").content.decode()
    assert "The backup of ATELIER-01 (Disk) left 298 items out." in page


def test_two_plans_of_one_device_may_both_be_in_trouble(office: Office) -> None:
    device = reporting_device(office)

    device.runs("failed", plan=DISK, plan_name="Disk")
    device.runs("failed", plan=MAIL, plan_name="Mail")

    assert lasting() == ["failed", "failed"]


def test_an_alert_ends_with_its_plan(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan("Disk", key=DISK), plan("Mail", key=MAIL))
    device.runs("failed", plan=DISK)
    device.runs("failed", plan=MAIL)

    device.heartbeat(plan("Mail", key=MAIL))

    assert [alert.plan_key for alert in Alert.objects.filter(ended_at=None)] == [MAIL]


def test_the_alerts_of_a_removed_device_end_and_their_links_lead_somewhere(
    owner: Client, office: Office
) -> None:
    device = reporting_device(office)
    device.runs("failed", plan=DISK, message="The vault is full.")
    alert = Alert.objects.get(kind="failed")

    linking.remove(device.row, actor=THE_CONSOLE, now=timezone.now())

    assert lasting() == []
    page = owner.get(path(alert))
    assert page.status_code == 200
    assert "was removed" in page.content.decode()


def test_the_watch_ends_what_was_left_behind_by_a_plan_that_is_gone(office: Office) -> None:
    device = reporting_device(office)
    device.runs("failed", plan=DISK)

    look(now=timezone.now())
    assert lasting() == ["failed"]
    look(now=timezone.now() + timedelta(hours=2))
    assert lasting() == []


def test_a_vault_is_nearly_full_where_the_organisation_says_so(office: Office) -> None:
    location = Location.objects.create(organisation=office.organisation, name="Here", kind="folder")
    vault = Vault.objects.create(
        organisation=office.organisation,
        location=location,
        name="PLAN-SERVER",
        quota_bytes=1000,
        visible_bytes=850,
    )
    look(now=timezone.now())
    assert lasting() == []

    Thresholds.objects.create(organisation=office.organisation, full_percent=85)
    look(now=timezone.now())
    assert lasting() == ["vault_full"]
    Vault.objects.filter(pk=vault.pk).update(quota_bytes=None)
    look(now=timezone.now())
    assert lasting() == []


@pytest.mark.django_db(transaction=True)
def test_a_new_device_is_told_to_all_and_a_changed_factor_to_administrators(
    office: Office, posted: list[EmailMessage]
) -> None:
    reporting_device(office)
    assert left(posted) == [(each, "ATELIER-01 was linked.") for each in ROLES]

    from console_ui.accounts.request import person

    record(
        "second_factor.removed", by=person(office.viewer), organisation_id=office.organisation.pk
    )

    subject = f"A second factor of {office.viewer.email} changed."
    assert left(posted) == [("admin", subject), ("owner", subject)]
    assert lasting() == []


@pytest.mark.django_db(transaction=True)
def test_everybody_decides_for_themselves_what_comes_by_mail(
    office: Office, posted: list[EmailMessage]
) -> None:
    device = reporting_device(office)
    left(posted)
    client = Client()
    client.force_login(office.operator)
    client.post("/alerts/settings", {"console_failed": "on", "mail_silent": "on"})
    User.objects.filter(pk=office.owner.pk).update(language="fr")

    device.runs("failed")

    told = dict(left(posted))
    assert "operator" not in told
    assert told["owner"] == "La sauvegarde de ATELIER-01 a échoué."
    page = client.get("/alerts").content.decode()
    assert "The backup of ATELIER-01 failed." in page
    assert "was linked" not in page


def test_the_number_of_new_alerts_stands_in_the_navigation_until_they_are_seen(
    owner: Client, office: Office
) -> None:
    device = reporting_device(office)
    device.runs("failed")
    assert owner.get("/devices").context["new_alerts"] == 2

    owner.post("/alerts/seen")
    assert owner.get("/devices").context["new_alerts"] == 0
    reporting_device(office, name="RECEPTION")
    assert owner.get("/devices").context["new_alerts"] == 1


def test_thresholds_are_for_administrators_and_nonsense_changes_nothing(office: Office) -> None:
    client = Client()
    client.force_login(office.operator)
    client.post("/alerts/settings", {"silent_days": "1", "full_percent": "50"})
    assert not Thresholds.objects.exists()

    client.force_login(office.admin)
    for days in ("0", "-3", "366", "many", "²", ""):
        client.post("/alerts/settings", {"silent_days": days, "full_percent": "90"})
    assert Thresholds.of(office.organisation).silent_days == 7
    client.post("/alerts/settings", {"silent_days": "3", "full_percent": "80"})
    kept = Thresholds.of(office.organisation)
    assert (kept.silent_days, kept.full_percent) == (3, 80)


def test_another_organisation_hears_nothing(office: Office, other_office: Office) -> None:
    reporting_device(office).runs("failed")
    client = Client()
    client.force_login(other_office.owner)

    assert client.get("/alerts").context["new_alerts"] == 0
    assert "ATELIER-01" not in client.get("/alerts").content.decode()


def test_every_kind_has_a_sentence_and_an_advice(office: Office) -> None:
    for kind in AlertKind:
        alert = Alert(kind=kind, subject="ATELIER-01", subject_id="7", number=2)
        assert "ATELIER-01" in sentence(alert)
        assert advice(alert).endswith((".", "?"))
        assert path(alert).startswith("/")
