"""Rounds over all vaults: in spite of broken ones, and in one process at a time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from backup_agent.services.vault import VaultStore
from console_ui.audit.actor import THE_CONSOLE
from console_ui.storage import bringing_back, held_lease, purge, reconcile, vaults
from console_ui.storage.held_lease import LENGTH, HeldLease
from console_ui.storage.housekeeping import Housekeeping
from console_ui.storage.marks import mark_name
from console_ui.storage.models import Alarm, Lease, LocationKind, Reason, State, StoredObject, Vault
from console_ui.storage.stores import stores
from tests.console.gateways import Device, make_location
from tests.console.stored_objects import put

_LATER = timedelta(days=15)
_PATIENCE_SECONDS = 30


def hide(device: Device, *bodies: bytes) -> None:
    """Store, delete, and say that this was meant."""
    with device.client() as http:
        for body in bodies:
            name = hashlib.sha256(body).hexdigest()
            http.post(f"data/{name}", content=body).raise_for_status()
            http.delete(f"data/{name}").raise_for_status()
    Alarm.objects.update(confirmed_at=timezone.now())


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def stuck_in_its_round(monkeypatch: pytest.MonkeyPatch, keeper: Housekeeping) -> Iterator[None]:
    """Within the block, the keeper is at a vault whose storage takes its time."""
    begun, go_on = threading.Event(), threading.Event()
    whole = reconcile.reconcile

    def slow(vault: Vault, store: VaultStore, *, now: datetime) -> None:
        begun.set()
        assert go_on.wait(_PATIENCE_SECONDS)
        whole(vault, store, now=now)

    def rounds() -> None:
        try:
            keeper.round(now=timezone.now() + _LATER)
        finally:
            connections.close_all()

    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "reconcile", slow)
        thread = threading.Thread(target=rounds)
        thread.start()
        try:
            assert begun.wait(_PATIENCE_SECONDS)
            patch.setattr(reconcile, "reconcile", whole)
            yield
        finally:
            go_on.set()
            thread.join()


def test_a_broken_vault_keeps_no_other_from_being_purged(device: Device) -> None:
    hide(device, b"due")
    organisation, settings = device.vault.organisation, dict(device.vault.location.settings)
    broken = make_location(organisation, LocationKind.FOLDER, settings, name="Broken")
    for name in ("A comes first", "Z comes last"):
        vaults.make(organisation, broken, name=name, by=THE_CONSOLE)
    broken.settings = {}
    broken.save()

    Housekeeping().round(now=timezone.now() + _LATER)

    assert not StoredObject.objects.exists()


def test_a_second_process_does_nothing_however_long_the_first_ones_round_takes(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lease, "_RENEWED_EVERY_SECONDS", 0.01)
    hide(device, b"due")
    with stuck_in_its_round(monkeypatch, Housekeeping()):
        Lease.objects.update(ends_at=timezone.now() - LENGTH)
        wait_until(lambda: Lease.objects.get().ends_at > timezone.now())

        Housekeeping().round(now=timezone.now() + _LATER)
        assert StoredObject.objects.get().state == State.HIDDEN

    assert not StoredObject.objects.exists()


def test_who_has_lost_the_lease_purges_nothing_more(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lease, "_RENEWED_EVERY_SECONDS", 0.01)
    hide(device, b"due")
    taken = 0

    def count(*_arguments: object, **_options: object) -> bool:
        nonlocal taken
        taken += 1
        return False

    with stuck_in_its_round(monkeypatch, Housekeeping()):
        monkeypatch.setattr(Lease, "take", count)
        wait_until(lambda: taken > 0)

    assert StoredObject.objects.get().state == State.HIDDEN


def test_a_lease_survives_a_database_that_is_away_for_a_moment(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lease, "_RENEWED_EVERY_SECONDS", 0.01)
    tries = threading.Semaphore(0)
    with HeldLease("test", holder="me") as lease:

        def fail(*_arguments: object, **_options: object) -> bool:
            tries.release()
            raise OperationalError("the server restarts")

        monkeypatch.setattr(Lease, "take", fail)
        for _ in range(3):
            assert tries.acquire(timeout=_PATIENCE_SECONDS)
        assert lease.is_held


@pytest.mark.parametrize("stopper", ["alarm", "wish"])
def test_purging_stops_at_the_next_object_when_somebody_has_to_look(
    device: Device, monkeypatch: pytest.MonkeyPatch, stopper: str
) -> None:
    monkeypatch.setattr(purge, "_PAGE", 2)
    hide(device, *(bytes([n]) for n in range(5)))
    asked = 0

    def go_on() -> bool:
        nonlocal asked
        asked += 1
        if asked == 4:
            stop(device.vault, stopper)
        return True

    now = timezone.now() + _LATER
    gone = purge.purge(Vault.objects.get(), store_of(device), now=now, go_on=go_on)

    assert (gone, StoredObject.objects.filter(state=State.HIDDEN).count()) == (3, 2)


def stop(vault: Vault, stopper: str) -> None:
    if stopper == "alarm":
        Alarm.objects.create(vault=vault, reason=Reason.KEY, raised_at=timezone.now())
    else:
        now = timezone.now()
        assert bringing_back.wish(vault, bringing_back.plan(vault, now, now=now))


def store_of(device: Device) -> VaultStore:
    return stores.of(device.vault)


def test_an_older_copy_of_the_database_brings_nothing_to_life(device: Device) -> None:
    with device.client() as http:
        old, new = put(http, "snapshots", b"old"), put(http, "snapshots", b"new")
        http.delete(f"snapshots/{old}").raise_for_status()
        http.delete(f"snapshots/{new}").raise_for_status()
        # As in a copy that was made when one of them was visible and the other not yet there.
        StoredObject.objects.filter(name=old).update(state=State.VISIBLE, hidden_at=None)
        StoredObject.objects.filter(name=new).delete()
        assert http.get("snapshots/").json() == [old]

        Housekeeping().round(now=timezone.now())

        assert http.get("snapshots/").json() == []
    assert {line.state for line in StoredObject.objects.all()} == {State.HIDDEN}


def test_an_older_copy_of_the_database_purges_nothing_for_14_days(device: Device) -> None:
    with device.client() as http:
        name = put(http, "snapshots", b"point")
        http.delete(f"snapshots/{name}").raise_for_status()
    StoredObject.objects.all().delete()
    Vault.objects.update(made_at=timezone.now() - 100 * _LATER)
    long_after = timezone.now() + _LATER

    Housekeeping().round(now=long_after)

    assert StoredObject.objects.get().state == State.HIDDEN
    assert StoredObject.objects.get().hidden_at == long_after


def test_a_mark_that_a_crash_left_beside_something_shown_again_is_removed(device: Device) -> None:
    with device.client() as http:
        name = put(http, "snapshots", b"back and forth")
        http.delete(f"snapshots/{name}").raise_for_status()
        ((_name, record),) = store_of(device).marks()
        assert put(http, "snapshots", b"back and forth") == name
        line = StoredObject.objects.get()
        store_of(device).save_mark(mark_name(line.key), record)

        Housekeeping().round(now=timezone.now())

        assert http.get("snapshots/").json() == [name]
    assert not list(store_of(device).marks())


def test_a_lock_that_is_lost_in_the_storage_is_listed_no_more(device: Device) -> None:
    with device.client() as http:
        for body in (b"read", b"measured", b"left alone"):
            name = hashlib.sha256(body).hexdigest()
            http.post(f"locks/{name}", content=body).raise_for_status()
        young, *others = StoredObject.objects.order_by("pk")
        for line in (young, *others):
            store_of(device).remove(line.key)
        StoredObject.objects.update(stored_at=timezone.now() - timedelta(days=2))
        StoredObject.objects.filter(pk=young.pk).update(stored_at=timezone.now())

        assert http.get(f"locks/{young.name}").status_code == 404
        assert len(http.get("locks/").json()) == 3
        StoredObject.objects.update(stored_at=timezone.now() - timedelta(days=2))
        assert http.get(f"locks/{young.name}").status_code == 404
        assert http.head(f"locks/{others[0].name}").status_code == 404
        assert http.get("locks/").json() == [others[1].name]

    reconcile.reconcile(device.vault, store_of(device), now=timezone.now())
    assert not StoredObject.objects.exists()
