"""A device that keeps all it can get, and a location that hangs: everybody else goes on."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from backup_agent.services.vault import VaultStore
from console_ui.accounts.models import User
from console_ui.django_settings import console_settings
from console_ui.storage.models import Location, LocationKind
from console_ui.storage.stores import stores
from tests.console.gateways import Device, make_location, make_password, make_vault

_PATIENCE_SECONDS = 60
_LARGEST_PACK = 256 << 20


@pytest.fixture
def neighbour(device: Device, tmp_path: Path) -> Device:
    """Another device of the same organisation, whose vault lies in another location."""
    organisation = device.vault.organisation
    fields = {"root": str(console_settings().storage_roots[0]), "folder": f"{tmp_path.name}-2"}
    return beside(device, make_location(organisation, LocationKind.FOLDER, fields, name="Attic"))


def beside(device: Device, location: Location) -> Device:
    organisation = device.vault.organisation
    vault = make_vault(organisation, location)
    owner = User.objects.get(login_id=device.login)
    return replace(device, vault=vault, password=make_password(owner, organisation))


def name_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def works(device: Device) -> None:
    """Everything that a device does is answered."""
    body = b"what others need"
    name = name_of(body)
    with device.client() as http:
        http.post(f"data/{name}", content=body).raise_for_status()
        assert http.get("data/").json() == [name]
        assert http.get(f"data/{name}").content == body
        http.delete(f"data/{name}").raise_for_status()


def begin_upload(device: Device, stack: ExitStack) -> socket.socket:
    """Announce a pack of the largest size, and send nothing of it."""
    url = urlsplit(device.url)
    credentials = base64.b64encode(f"{device.login}:{device.password}".encode()).decode()
    connection = socket.create_connection((url.hostname, url.port), timeout=_PATIENCE_SECONDS)
    stack.callback(connection.close)
    connection.sendall(
        f"POST {url.path}data/{'0' * 64} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Length: {_LARGEST_PACK}\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    return connection


def test_a_device_that_announces_much_and_sends_nothing_leaves_room_for_others(
    device: Device, neighbour: Device
) -> None:
    with ExitStack() as stack:
        uploads = [begin_upload(device, stack) for _ in range(16)]
        # A quarter of the room is lent to it; the gateway asks for these bodies, and no more.
        asked = threading.Semaphore(0)

        def wait(upload: socket.socket) -> None:
            if upload.recv(100).startswith(b"HTTP/1.1 100"):
                asked.release()

        for upload in uploads:
            thread = threading.Thread(target=wait, args=(upload,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(upload.shutdown, socket.SHUT_RDWR)
        for _ in range(4):
            assert asked.acquire(timeout=_PATIENCE_SECONDS)

        works(neighbour)
        assert not asked.acquire(blocking=False)


@contextmanager
def hanging(
    monkeypatch: pytest.MonkeyPatch, step: str, *devices: Device
) -> Iterator[threading.Semaphore]:
    """Within the block, that step never ends in these vaults. Counts who is in it."""
    whole, go_on, inside = getattr(VaultStore, step), threading.Event(), threading.Semaphore(0)
    slow = [stores.of(device.vault) for device in devices]

    def hang(store: VaultStore, *arguments: object) -> object:
        if store in slow:
            inside.release()
            assert go_on.wait(_PATIENCE_SECONDS)
        return whole(store, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(VaultStore, step, hang)
        try:
            yield inside
        finally:
            go_on.set()


def store_something(device: Device, number: int) -> None:
    body = bytes([number])
    with device.client() as http:
        http.post(f"data/{name_of(body)}", content=body).raise_for_status()


@pytest.mark.parametrize("step", ["write", "size"])
def test_a_location_that_hangs_keeps_no_other_from_working(
    device: Device, neighbour: Device, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store_something(device, 255)

    def stuck(number: int) -> None:
        if step == "write":
            store_something(device, number)
            return
        with device.client() as http:
            http.head(f"data/{name_of(bytes([255]))}").raise_for_status()

    with ThreadPoolExecutor(16) as threads:
        with hanging(monkeypatch, step, device) as inside:
            jobs = [threads.submit(stuck, number) for number in range(16)]
            for _ in range(16):
                assert inside.acquire(timeout=_PATIENCE_SECONDS)

            works(neighbour)
            stranger = httpx.get(f"{device.gateway}/storage/{neighbour.vault.pk}/keys/")
            assert stranger.status_code == 401
        for job in jobs:
            job.result()


def test_what_takes_no_more_can_still_be_read(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = beside(device, device.vault.location)
    store_something(device, 255)

    with ThreadPoolExecutor(16) as threads:
        with hanging(monkeypatch, "write", device, another) as inside:
            jobs = [
                threads.submit(store_something, stuck, number)
                for stuck in (device, another)
                for number in range(8)
            ]
            for _ in range(16):
                assert inside.acquire(timeout=_PATIENCE_SECONDS)

            with device.client() as http:
                assert http.get(f"data/{name_of(bytes([255]))}").content == bytes([255])
        for job in jobs:
            job.result()
