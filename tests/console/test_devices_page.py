"""The list of devices: states, filters, search, and what of it changes while somebody looks."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console_ui.accounts.models import Organisation, SessionRow
from console_ui.activity.models import Command, Plan, Report, RestorePoint, Run, Thresholds
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.record import record
from console_ui.devices.models import Device, Kind, ManagedPassword
from console_ui.storage.models import LocationKind, Vault
from tests.console.gateways import make_location
from tests.console.people import Office, log_in
from tests.console.reporting import ended, plan, reporting_device, started


def page_of(client: Client, path: str = "/devices") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    # Without tags and doubled spaces: as it reads.
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def names(client: Client, path: str) -> list[str]:
    return re.findall(r"<b><bdi>([^<]+)</bdi></b></a>", client.get(path).content.decode())


def test_the_page_says_first_what_needs_attention(owner: Client, office: Office) -> None:
    reporting_device(office, name="ATELIER-02").runs("done")
    reporting_device(office, name="PLAN-SERVER").runs("incomplete", omitted=14)
    away = reporting_device(office, name="SITE-LAPTOP-3")
    past = timezone.now() - timedelta(days=9)
    Device.objects.filter(pk=away.row.pk).update(linked_at=past, seen_at=past)

    page = page_of(owner)

    assert "1 of 3 protected. 2 need attention: PLAN-SERVER left 14 items out," in page
    assert "SITE-LAPTOP-3 has been silent for 9 days." in page
    assert "14 items left out" in page
    assert "Silent 9 days" in page
    assert names(owner, "/devices") == ["PLAN-SERVER", "SITE-LAPTOP-3", "ATELIER-02"]
    assert names(owner, "/devices?state=attention") == ["PLAN-SERVER", "SITE-LAPTOP-3"]
    assert names(owner, "/devices?state=protected") == ["ATELIER-02"]
    assert names(owner, "/devices?words=laptop") == ["SITE-LAPTOP-3"]
    assert len(names(owner, f"/devices?words={office.owner.email}")) == 3


def test_an_organisation_decides_when_a_device_is_silent(owner: Client, office: Office) -> None:
    device = reporting_device(office)
    past = timezone.now() - timedelta(days=3)
    Device.objects.filter(pk=device.row.pk).update(linked_at=past, seen_at=past)
    assert "Silent" not in page_of(owner)

    Thresholds.objects.create(organisation=office.organisation, silent_days=2)

    assert "Silent 3 days" in page_of(owner)


def test_names_from_devices_are_shown_as_text(owner: Client, office: Office) -> None:
    device = reporting_device(office, name="<b>PC</b>")
    device.heartbeat(plan("<script>alert(1)</script>"))
    device.runs("failed", message="<img src=x>")

    for path in ("/devices", f"/devices/{device.row.pk}"):
        raw = owner.get(path).content.decode()
        assert "<script>alert" not in raw
        assert "<img" not in raw
        assert "&lt;b&gt;PC&lt;/b&gt;" in raw


def test_one_device_shows_its_runs_with_what_they_left_out_and_its_days_as_a_table(
    owner: Client, office: Office
) -> None:
    device = reporting_device(office)
    device.heartbeat(plan("Projects", every_hours=24))
    device.runs(
        "incomplete",
        bytes_added=3_000_000,
        omitted=1,
        omissions=[{"path": "/srv/projects/secret", "reason": "Permission denied"}],
    )

    page = page_of(owner, f"/devices/{device.row.pk}")

    assert "/srv/projects/secret : Permission denied" in page
    assert "every 24 hours" in page
    assert device.row.short_key in page
    raw = owner.get(f"/devices/{device.row.pk}").content.decode()
    assert raw.count('<th scope="row">') == 14
    assert 'aria-label="14 days: 1 backup, 3' in raw


def test_back_up_now_asks_the_device_and_stop_too(owner: Client, office: Office) -> None:
    device = reporting_device(office)

    owner.post(f"/devices/{device.row.pk}/ask", {"kind": "back_up"})
    assert "waits for the device" in page_of(owner)
    owner.post(f"/devices/{device.row.pk}/ask", {"kind": "stop"})

    kinds = set(Command.objects.values_list("kind", flat=True))
    assert kinds == {"back_up", "stop"}


def test_viewers_are_shown_no_buttons_and_foreigners_nothing(
    client: Client, office: Office, other_office: Office
) -> None:
    device = reporting_device(office)
    ask = f"/devices/{device.row.pk}/ask"
    client.force_login(office.viewer)
    assert "Back up now" not in page_of(client)
    assert client.post(ask, {"kind": "stop"}).status_code == 403

    client.force_login(other_office.owner)
    assert client.get(f"/devices/{device.row.pk}").status_code == 404
    assert client.post(ask, {"kind": "stop"}).status_code == 404
    assert "ATELIER-01" not in page_of(client)
    assert not Command.objects.exists()


def add_devices(organisation: Organisation, *numbers: int) -> None:
    now = timezone.now()
    devices = Device.objects.bulk_create(
        Device(
            organisation=organisation,
            name=f"PC-{n:04}",
            kind=Kind.BACKUP,
            client_id=f"{n:064}",
            public_key=bytes(32),
            linked_at=now,
            seen_at=now,
        )
        for n in range(*numbers)
    )
    keys = [uuid.uuid4() for _device in devices]
    runs = [
        Run(
            device=device,
            key=uuid.uuid4(),
            plan_key=key,
            started_at=now - timedelta(days=day),
            ended_at=now - timedelta(days=day),
            outcome="done",
        )
        for device, key in zip(devices, keys, strict=True)
        for day in range(14)
    ]
    Run.objects.bulk_create(runs)
    lasts = runs[::14]
    Report.objects.bulk_create(
        Report(device=run.device, changed_at=now, last_ended=run, last_saved=run) for run in lasts
    )
    Plan.objects.bulk_create(
        Plan(device=run.device, key=key, name="All", last_run=run)
        for run, key in zip(lasts, keys, strict=True)
    )


@pytest.mark.parametrize("path", ["/devices", "/devices?state=protected", "/devices?words=pc-0"])
def test_five_hundred_devices_cost_no_more_questions_than_five(
    owner: Client, office: Office, path: str
) -> None:
    add_devices(office.organisation, 5)
    owner.get(path)
    with CaptureQueriesContext(connection) as few:
        owner.get(path)
    add_devices(office.organisation, 5, 500)

    with CaptureQueriesContext(connection) as many:
        page = owner.get(path).content.decode()

    assert len(many) <= len(few) <= 22
    assert page.count("data-device=") == 50


@pytest.mark.parametrize("path", ["/devices/{}", "/api/v1/devices/{}/restore-points?offset=9900"])
def test_ten_thousand_restore_points_cost_no_more_questions_than_ten(
    owner: Client, office: Office, path: str
) -> None:
    device = reporting_device(office).row
    add_points(device, 0, 10)
    page = path.format(device.pk)
    owner.get(page)
    with CaptureQueriesContext(connection) as few:
        owner.get(page)
    add_points(device, 10, 10_000)

    with CaptureQueriesContext(connection) as many:
        answer = owner.get(page)

    assert answer.status_code == 200
    assert len(many) <= len(few) <= 24
    assert len(answer.content) < 200_000


def add_points(device: Device, first: int, end: int) -> None:
    now = timezone.now()
    RestorePoint.objects.bulk_create(
        RestorePoint(device=device, snapshot=f"{n:064x}", made_at=now - timedelta(hours=n))
        for n in range(first, end)
    )


def test_an_owner_is_asked_for_the_recovery_sheet_until_it_is_printed(
    owner: Client, office: Office, tmp_path: Path
) -> None:
    location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(tmp_path)})
    vault = Vault.objects.create(
        organisation=office.organisation, location=location, name="Till's PC"
    )
    assert "recovery-sheet" not in owner.get("/devices").content.decode()

    Vault.objects.filter(pk=vault.pk).update(visible_bytes=1)
    assert f"/vaults/{vault.pk}/recovery-sheet" in owner.get("/devices").content.decode()
    print_sheet(office, vault, with_password=False)
    assert "recovery-sheet" not in owner.get("/devices").content.decode()

    # From now on the console keeps its password, which that sheet does not have.
    Vault.objects.filter(pk=vault.pk).update(console_key="7" * 64)
    assert "recovery-sheet" in owner.get("/devices").content.decode()
    print_sheet(office, vault, with_password=True, key="7" * 64)
    assert "recovery-sheet" not in owner.get("/devices").content.decode()

    # The password on that paper opens nothing any more.
    Vault.objects.filter(pk=vault.pk).update(console_key="8" * 64)
    assert "recovery-sheet" in owner.get("/devices").content.decode()


def test_a_sheet_of_an_earlier_release_counts_while_its_password_is_kept(
    owner: Client, office: Office, tmp_path: Path
) -> None:
    location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(tmp_path)})
    device = reporting_device(office).row
    now = timezone.now()
    kept = ManagedPassword.objects.create(device=device, sealed=b"", kept_at=now)
    vault = Vault.objects.create(
        organisation=office.organisation,
        location=location,
        name="Till's PC",
        device_id=device.pk,
        visible_bytes=1,
        console_key="7" * 64,
    )
    print_sheet(office, vault, with_password=True)
    assert "recovery-sheet" not in owner.get("/devices").content.decode()

    ManagedPassword.objects.filter(pk=kept.pk).update(kept_at=now + timedelta(days=1))
    assert "recovery-sheet" in owner.get("/devices").content.decode()


def test_nobody_but_an_owner_is_asked_for_a_recovery_sheet(
    client: Client, office: Office, tmp_path: Path
) -> None:
    location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(tmp_path)})
    vault = Vault.objects.create(
        organisation=office.organisation, location=location, name="Till's PC"
    )
    Vault.objects.filter(pk=vault.pk).update(visible_bytes=1)
    log_in(client, office.admin.email)

    assert "recovery-sheet" not in client.get("/devices").content.decode()


def print_sheet(
    office: Office, vault: Vault, *, with_password: bool, key: str | None = None
) -> None:
    """``key`` None: as earlier releases noted it."""
    details: dict[str, str | int | bool] = {"vault": str(vault.pk), "with_password": with_password}
    if key is not None:
        details["key"] = key
    record(
        "recovery_sheet.shown",
        by=THE_CONSOLE,
        organisation_id=office.organisation.pk,
        details=details,
    )


def test_a_page_that_renews_itself_does_not_keep_its_session_alive(
    owner: Client, office: Office
) -> None:
    long_ago = timezone.now() - timedelta(minutes=30)
    SessionRow.objects.update(seen_at=long_ago)

    owner.get("/devices/nowhere", headers={"Accept": "text/event-stream"})
    assert SessionRow.objects.get().seen_at == long_ago
    owner.get("/devices")
    assert SessionRow.objects.get().seen_at > long_ago


def test_last_backup_is_the_last_that_left_something_and_the_attempt_stands_apart(
    owner: Client, office: Office
) -> None:
    device = reporting_device(office)
    device.runs("done", ago=timedelta(hours=5))
    device.runs("stopped", ago=timedelta(minutes=10))

    page = page_of(owner)

    assert "4 hours ago Last attempt: Stopped, 8 minutes ago" in page
    other = reporting_device(office, name="RECEPTION")
    other.runs("failed", message="The vault is full.")
    assert "none yet Last attempt: Failed, just now The vault is full." in page_of(owner)


def test_an_open_page_hears_of_a_device_that_was_just_linked(office: Office) -> None:
    from console_ui.activity.pages.live import _events

    since = timezone.now()

    linked = reporting_device(office)

    ((_at, event),) = _events(office.organisation, since, "en")
    assert event["device"] == str(linked.row.pk)


def test_a_page_of_all_devices_shows_a_new_one_and_a_part_of_them_does_not(
    owner: Client, office: Office
) -> None:
    reporting_device(office).runs("done")

    assert "data-live-all" in owner.get("/devices").content.decode()
    add_devices(office.organisation, 60)
    assert "data-live-all" not in owner.get("/devices").content.decode()


def test_what_an_open_page_is_told_is_its_own_organisations(
    office: Office, other_office: Office
) -> None:
    from console_ui.activity.pages.live import _encoded, _events

    since = timezone.now()
    reporting_device(other_office, name="FOREIGN").heartbeat()
    device = reporting_device(office)
    run = str(uuid.uuid4())
    device.events(started(run, timezone.now()))
    device.ok("PUT", "progress", {"run": run, "bytes_done": 62, "bytes_total": 100})

    ((at, event),) = _events(office.organisation, since, "fr")

    assert event["device"] == str(device.row.pk)
    assert event["running"] is True
    assert "62 %" in str(event["last"])
    assert event["said"] == "ATELIER-01: En cours"
    assert json.loads(_encoded(at, event).decode().split("data: ")[1]) == event
    device.events(ended(run, timezone.now(), "done"))
    ((_at, after),) = _events(office.organisation, at, "en")
    assert after["running"] is False
