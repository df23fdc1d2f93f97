"""Requests that cross each other, or the loss of what allowed them."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from django.db import connections
from django.utils import timezone

from backup_agent.services.vault import FileKind, ObjectKey, VaultStore
from console_ui.accounts.application_passwords import revoke
from console_ui.accounts.models import ApplicationPassword
from console_ui.audit.actor import THE_CONSOLE, Actor
from console_ui.storage import bringing_back
from console_ui.storage.gateway.access import Rights
from console_ui.storage.gateway.application import Gateway
from console_ui.storage.marks import mark_name
from console_ui.storage.models import State, StoredObject, Upload, Vault
from console_ui.storage.stores import stores
from tests.console.gateways import Device

_PATIENCE_SECONDS = 30
_Event: TypeAlias = Callable[[Vault], None]


def name_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def post(device: Device, kind: str, body: bytes) -> int:
    path = kind if kind == "config" else f"{kind}/{name_of(body)}"
    with device.client() as http:
        return http.post(path, content=body).status_code


def delete(device: Device, kind: str, body: bytes) -> int:
    with device.client() as http:
        return http.delete(f"{kind}/{name_of(body)}").status_code


def has_mark(device: Device, kind: FileKind, body: bytes) -> bool:
    return stores.of(device.vault).has_mark(mark_name(ObjectKey(kind, name_of(body))))


def let_two_meet(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whoever comes to that step of the storage waits a moment for a second one there."""
    meeting, whole = threading.Barrier(2), getattr(VaultStore, step)

    def together(store: VaultStore, *arguments: object) -> object:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(1)
        return whole(store, *arguments)

    monkeypatch.setattr(VaultStore, step, together)


def interrupt_once(
    monkeypatch: pytest.MonkeyPatch, step: str, happens: Callable[[], object]
) -> None:
    """Before that step of the storage is taken for the first time, something else happens."""
    whole, has_happened = getattr(VaultStore, step), False

    def interrupted(store: VaultStore, *arguments: object) -> object:
        nonlocal has_happened
        if not has_happened:
            has_happened = True
            happens()
        return whole(store, *arguments)

    monkeypatch.setattr(VaultStore, step, interrupted)


def at_once(*calls: Callable[[], int]) -> list[int]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return sorted(job.result() for job in [threads.submit(call) for call in calls])


def wish_back(vault: Vault) -> None:
    now = timezone.now()
    assert bringing_back.wish(vault, bringing_back.plan(vault, now, now=now))


def revoke_all(_vault: Vault) -> None:
    revoke(ApplicationPassword.objects.all())


def test_of_two_keys_that_are_deleted_at_once_one_stays(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (post(device, "keys", b"one"), post(device, "keys", b"two")) == (200, 200)
    let_two_meet(monkeypatch, "save_mark")

    statuses = at_once(
        lambda: delete(device, "keys", b"one"), lambda: delete(device, "keys", b"two")
    )

    assert statuses == [200, 403]
    assert len(device.names("keys")) == 1
    assert has_mark(device, FileKind.KEY, b"one") != has_mark(device, FileKind.KEY, b"two")


def test_of_two_configs_at_once_one_is_the_first_and_stays(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_two_meet(monkeypatch, "write")

    statuses = at_once(lambda: post(device, "config", b"one"), lambda: post(device, "config", b"2"))

    assert statuses in ([200, 403], [200, 503])
    with device.client() as http:
        first = http.get("config").content
    other = b"2" if first == b"one" else b"one"
    assert post(device, "config", other) == 403
    assert post(device, "config", first) == 200
    assert not Upload.objects.exists()


def test_two_uploads_at_once_do_not_share_the_last_room(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vault.objects.update(quota_bytes=1000)
    let_two_meet(monkeypatch, "write")

    statuses = at_once(
        lambda: post(device, "data", b"a" * 600), lambda: post(device, "data", b"b" * 600)
    )

    assert statuses == [200, 507]
    assert Vault.objects.get().visible_bytes == 600
    assert not Upload.objects.exists()


def test_an_upload_that_fails_gives_its_room_back(device: Device) -> None:
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        assert http.post(f"data/{name_of(b'other')}", content=bytes(900)).status_code == 400

    assert post(device, "data", bytes(900)) == 200


def test_an_upload_that_is_sent_again_needs_no_room_twice(device: Device) -> None:
    Vault.objects.update(quota_bytes=1000)
    later = timezone.now() + timedelta(hours=1)
    Upload.objects.create(
        vault=device.vault, kind="data", name=name_of(bytes(900)), size=900, ends_at=later
    )

    assert post(device, "data", bytes(901)) == 507
    assert post(device, "data", bytes(900)) == 200


def test_room_that_was_kept_by_a_console_that_died_is_free_some_time_later(device: Device) -> None:
    Vault.objects.update(quota_bytes=1000)
    Upload.objects.create(
        vault=device.vault, kind="data", name="0" * 64, size=900, ends_at=timezone.now()
    )

    assert post(device, "data", bytes(900)) == 200
    assert not Upload.objects.exists()


@pytest.mark.parametrize(("loss", "status"), [(wish_back, 503), (revoke_all, 401)])
@pytest.mark.parametrize("kind", ["snapshots", "keys", "data", "locks"])
def test_what_comes_too_late_is_not_there(
    device: Device, monkeypatch: pytest.MonkeyPatch, kind: str, loss: _Event, status: int
) -> None:
    interrupt_once(monkeypatch, "write", lambda: loss(device.vault))

    assert post(device, kind, b"late") == status

    line = StoredObject.objects.filter(state=State.VISIBLE).first()
    assert line is None
    if kind == "locks":
        assert stores.of(device.vault).size(ObjectKey(FileKind.LOCK, name_of(b"late"))) is None
    else:
        # It lies in the storage: what is known to be deleted comes to life by no lost database.
        assert has_mark(device, FileKind(kind), b"late")
        assert Vault.objects.get().hidden_bytes == 4


@pytest.mark.parametrize(("loss", "status"), [(wish_back, 503), (revoke_all, 401)])
@pytest.mark.parametrize("kind", ["snapshots", "locks"])
def test_a_deletion_that_comes_too_late_deletes_nothing(
    device: Device, monkeypatch: pytest.MonkeyPatch, kind: str, loss: _Event, status: int
) -> None:
    assert post(device, kind, b"stays") == 200
    whole = stores.of

    def of(vault: Vault) -> VaultStore:
        # After the request was let in, before anything is changed.
        monkeypatch.setattr(stores, "of", whole)
        loss(device.vault)
        return whole(vault)

    monkeypatch.setattr(stores, "of", of)

    assert delete(device, kind, b"stays") == status

    assert StoredObject.objects.get().state == State.VISIBLE
    assert stores.of(device.vault).size(StoredObject.objects.get().key) == 5
    assert not has_mark(device, FileKind(kind), b"stays")


def test_a_hidden_object_whose_return_comes_too_late_stays_hidden(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (post(device, "data", b"gone"), delete(device, "data", b"gone")) == (200, 200)
    interrupt_once(monkeypatch, "remove_mark", lambda: revoke_all(device.vault))

    assert post(device, "data", b"gone") == 401

    assert StoredObject.objects.get().state == State.HIDDEN
    assert has_mark(device, FileKind.PACK, b"gone")


def test_the_mark_agrees_when_a_deletion_is_overtaken_by_the_same_object_again(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(device, "data", b"back and forth") == 200
    interrupt_once(monkeypatch, "save_mark", lambda: post(device, "data", b"back and forth"))

    assert delete(device, "data", b"back and forth") == 200

    is_hidden = StoredObject.objects.get().state == State.HIDDEN
    assert not is_hidden
    assert has_mark(device, FileKind.PACK, b"back and forth") == is_hidden


def test_the_mark_agrees_when_a_return_is_overtaken_by_a_deletion(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(device, "data", b"forth and back") == 200
    assert delete(device, "data", b"forth and back") == 200
    # The second removal of the mark, after the object is visible again, is what is overtaken.
    whole, calls = VaultStore.remove_mark, 0

    def remove_mark(store: VaultStore, name: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            assert delete(device, "data", b"forth and back") == 200
        whole(store, name)

    monkeypatch.setattr(VaultStore, "remove_mark", remove_mark)

    assert post(device, "data", b"forth and back") == 200

    assert StoredObject.objects.get().state == State.HIDDEN
    assert has_mark(device, FileKind.PACK, b"forth and back")


def test_a_deletion_that_the_storage_broke_off_is_finished_by_the_next_try(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (post(device, "data", b"pack"), post(device, "locks", b"lock")) == (200, 200)

    def fail() -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        interrupt_once(patch, "save_mark", fail)
        assert delete(device, "data", b"pack") == 500
    with monkeypatch.context() as patch:
        interrupt_once(patch, "remove", fail)
        assert delete(device, "locks", b"lock") == 500
    assert device.names("locks") == []

    assert (delete(device, "data", b"pack"), delete(device, "locks", b"lock")) == (200, 200)
    assert (delete(device, "data", b"pack"), delete(device, "locks", b"lock")) == (404, 404)
    assert has_mark(device, FileKind.PACK, b"pack")
    assert StoredObject.objects.get().state == State.HIDDEN


class Tokens:
    """Lets everybody in until told otherwise."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_revoked = False

    def rights_in(
        self, vault: Vault | None, token: str, *, address: str
    ) -> tuple[Rights, Actor] | None:
        self.asked += 1
        return None if self.is_revoked else (Rights.WRITE, THE_CONSOLE)


class AsgiRequest:
    """One request straight to the gateway, whose body comes when the test says so."""

    def __init__(self, gateway: Gateway, method: str, path: str, length: int = 0) -> None:
        self._body = asyncio.Event()
        self._length = length
        self.wants_body = asyncio.Event()
        self.status = 0
        scope = {
            "method": method,
            "path": path,
            "headers": [(b"authorization", b"Bearer x"), (b"content-length", b"%d" % length)],
        }
        self.done = asyncio.create_task(gateway(scope, self._receive, self._send))

    def let_body_come(self) -> None:
        self._body.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        self.wants_body.set()
        await self._body.wait()
        return {"type": "http.request", "body": bytes(self._length), "more_body": False}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)


@pytest.mark.parametrize("loss", ["revoked", "wished back"])
def test_requests_that_wait_for_their_turn_lose_it_with_their_right(
    device: Device, loss: str
) -> None:
    assert post(device, "snapshots", b"stays") == 200
    tokens = Tokens()
    gateway = Gateway(spool_folder=device.scratch, tokens=tokens)
    place = f"/storage/{device.vault.pk}"

    async def story() -> list[int]:
        uploads = [
            AsgiRequest(gateway, "POST", f"{place}/data/{name_of(bytes(100 + n))}", 100 + n)
            for n in range(16)
        ]
        await asyncio.gather(*(upload.wants_body.wait() for upload in uploads))
        waiting = [
            AsgiRequest(gateway, "DELETE", f"{place}/snapshots/{name_of(b'stays')}")
            for _ in range(3)
        ]
        while tokens.asked < 16 + len(waiting):
            await asyncio.sleep(0.001)
        if loss == "revoked":
            tokens.is_revoked = True
        else:
            await asyncio.to_thread(in_a_thread, lambda: wish_back(device.vault))
        for upload in uploads:
            upload.let_body_come()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.gather(*(request.done for request in (*uploads, *waiting)))
        return [request.status for request in (*uploads, *waiting)]

    try:
        statuses = asyncio.run(story())
    finally:
        gateway.close()

    assert set(statuses) == {401 if loss == "revoked" else 503}
    assert [line.name for line in StoredObject.objects.filter(state=State.VISIBLE)] == [
        name_of(b"stays")
    ]


def in_a_thread(work: Callable[[], None]) -> None:
    """Django's connections belong to their thread, which must not leave one behind."""
    try:
        work()
    finally:
        connections.close_all()
