"""Deletions at the gateway that alert somebody."""

from __future__ import annotations

from django.core import mail as django_mail
from django.utils import timezone

from console_ui.accounts.models import Role
from console_ui.accounts.request import person
from console_ui.storage import alarms
from console_ui.storage.models import Alarm, Reason, Vault
from console_ui.web import mail
from tests.console.gateways import Device, let_days_pass
from tests.console.people import make_member
from tests.console.stored_objects import put


def alarms_of(device: Device) -> list[str]:
    return list(Alarm.objects.filter(vault=device.vault).values_list("reason", flat=True))


def test_deleting_more_than_a_fifth_of_the_restore_points_alerts_every_administrator(
    device: Device,
) -> None:
    with device.client() as http:
        points = [put(http, "snapshots", bytes([n])) for n in range(10)]
        let_days_pass(device.vault)
        for point in points[:2]:
            http.delete(f"snapshots/{point}")
        assert alarms_of(device) == []

        http.delete(f"snapshots/{points[2]}")
        http.delete(f"snapshots/{points[3]}")

    assert alarms_of(device) == [Reason.MANY_POINTS]
    mail.wait_until_sent()
    told = {recipient for message in django_mail.outbox for recipient in message.to}
    assert told == {"owner@keller.example", "admin@keller.example"}
    assert len(django_mail.outbox) == 2
    assert f"/vaults/{device.vault.pk}" in django_mail.outbox[0].body


def test_deleting_much_data_or_any_key_raises_an_alarm(device: Device) -> None:
    with device.client() as http:
        packs = [put(http, "data", bytes([n]) * 100) for n in range(10)]
        keys = [put(http, "keys", key) for key in (b"left", b"gone")]
        let_days_pass(device.vault)
        for pack in packs[:3]:
            http.delete(f"data/{pack}")
        assert alarms_of(device) == [Reason.MUCH_DATA]

        (alarm,) = Alarm.objects.all()
        user = make_member(device.vault.organisation, Role.ADMIN, "a@keller.example")
        alarms.confirm(alarm, user, by=person(user), now=timezone.now())
        http.delete(f"keys/{keys[1]}")

    assert alarms_of(device) == [Reason.KEY, Reason.MUCH_DATA]


def test_restore_points_that_the_retention_keeps_are_missed_at_once(device: Device) -> None:
    Vault.objects.update(keep_last=9)
    with device.client() as http:
        points = [put(http, "snapshots", bytes([n])) for n in range(10)]
        let_days_pass(device.vault)
        http.delete(f"snapshots/{points[0]}")
        assert alarms_of(device) == []

        http.delete(f"snapshots/{points[1]}")

    assert alarms_of(device) == [Reason.RETENTION]
