"""From a hostile device to the whole vault again, and what everyday restic must not alarm."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import Role, User
from console_ui.storage.housekeeping import Housekeeping
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault
from console_ui.web import mail
from tests.console.gateways import Device, let_days_pass
from tests.console.people import PASSWORD, make_member
from tests.console.test_gateway_with_restic import KINDS, contents, make_files

KEEPER = Housekeeping()


def test_a_hostile_device_is_noticed_and_an_administrator_brings_the_vault_back_whole(
    device: Device, tmp_path: Path
) -> None:
    make_member(device.vault.organisation, Role.ADMIN, "second.admin@keller.example")
    files = tmp_path / "files"
    device.init()
    for seed in range(5):
        make_files(files, seed, count=2)
        device("backup", files)
        let_days_pass(device.vault, 1)
    let_days_pass(device.vault, 1)
    before = {kind: set(device.names(kind)) for kind in KINDS}

    plunder(device, before)
    assert [alarm.reason for alarm in Alarm.objects.all()] == [Reason.RETENTION]
    mail.wait_until_sent()
    told = sorted(recipient for message in django_mail.outbox for recipient in message.to)
    assert told == ["admin@keller.example", "owner@keller.example", "second.admin@keller.example"]
    assert "Unusual deletions" in django_mail.outbox[0].subject

    # Three weeks later somebody is back from holidays.
    let_days_pass(device.vault, 21)
    KEEPER.round(now=timezone.now())
    assert StoredObject.objects.filter(vault=device.vault, state=State.HIDDEN).count() == sum(
        len(names) for names in before.values()
    )
    browser = logged_in("admin@keller.example")
    page = browser.get(f"/vaults/{device.vault.pk}").content.decode()
    assert "deleted that the retention keeps" in page
    # To the day before the rubbish came.
    bring_back(browser, device.vault, timezone.now() - timedelta(days=21.5))
    assert {kind: set(device.names(kind)) for kind in KINDS} == before
    device.check()
    device("restore", "latest", "--target", tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(files)

    # What the device had added is set aside; it goes when somebody has said that all is well.
    rubbish = StoredObject.objects.filter(vault=device.vault, state=State.HIDDEN)
    assert rubbish.count() == 31
    later = timezone.now() + timedelta(days=15)
    KEEPER.round(now=later)
    assert rubbish.count() == 31
    browser.post(f"/vaults/{device.vault.pk}/confirm")
    KEEPER.round(now=later)
    assert not rubbish.exists()
    device.check()


def plunder(device: Device, before: dict[str, set[str]]) -> None:
    """Rubbish first, so that what matters is a small part; then all that can be deleted."""
    for number in range(30):
        store(device, "snapshots", b"rubbish %d" % number)
    store(device, "keys", b'{"a key": "that opens nothing"}')
    let_days_pass(device.vault, 0.1)
    with device.client() as http:
        for kind in ("snapshots", "index", "data", "keys"):
            for name in before[kind]:
                assert http.delete(f"{kind}/{name}").status_code == 200
    assert not any(before[kind] & set(device.names(kind)) for kind in KINDS)


def store(device: Device, kind: str, body: bytes) -> None:
    with device.client() as http:
        name = hashlib.sha256(body).hexdigest()
        http.post(f"{kind}/{name}", content=body).raise_for_status()


def logged_in(email: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(email=email))
    browser.post("/confirm", {"password": PASSWORD})
    return browser


def bring_back(browser: Client, vault: Vault, moment: datetime) -> None:
    typed = f"{moment:%Y-%m-%dT%H:%M:%S}"
    page = f"/vaults/{vault.pk}/bring-back"
    assert "5 restore points come back" in browser.get(page, {"moment": typed}).content.decode()
    browser.post(page, {"moment": typed, "sure": "yes"})
    KEEPER.round(now=timezone.now())
    assert Vault.objects.get().bringing_back_to is None


def test_ordinary_backups_with_the_usual_retention_and_prune_alarm_nobody(
    device: Device, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    device.init()
    today = timezone.now()
    keep = ("--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "12")
    for days_ago in reversed(range(11)):
        make_files(files, days_ago, count=1, size=20_000)
        made = today - timedelta(days=days_ago)
        device("backup", files, "--time", f"{made:%Y-%m-%d %H:%M:%S}")
        device("forget", *keep, *(("--prune",) if days_ago < 2 else ()))
        if days_ago:
            let_days_pass(device.vault, 1)

    assert StoredObject.objects.filter(kind="index", state=State.HIDDEN).exists()
    assert [alarm.reason for alarm in Alarm.objects.all()] == []
    device.check()
