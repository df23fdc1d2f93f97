"""A console that listens, with a vault full of restore points and somebody who restores."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from django.conf import settings as django_conf
from django.test import Client
from django.utils import timezone

from console_ui.accounts import application_passwords
from console_ui.accounts.models import Scope, User
from console_ui.devices.models import Device, Kind
from console_ui.django_settings import console_settings
from console_ui.restore.models import UnlockedVault
from console_ui.server import listening_socket
from console_ui.storage.models import LocationKind, StoredObject, Vault
from console_ui.unlocked.starting import processes
from tests.command_line import PASSWORD as REPOSITORY_PASSWORD
from tests.command_line import CommandLine
from tests.console.gateways import make_location, make_vault
from tests.console.people import PASSWORD, Office

if TYPE_CHECKING:
    from pytest_django import Settings


@dataclass(frozen=True, slots=True)
class Restorer:
    """``client`` is the owner's browser, who has just logged in; ``shell`` is the device's."""

    client: Client
    office: Office
    device: Device
    vault: Vault
    address: str
    shell: CommandLine

    @property
    def restore(self) -> str:
        return f"/vaults/{self.vault.pk}/restore"

    @property
    def points(self) -> list[str]:
        """Ids of the restore points, oldest first."""
        lines = StoredObject.objects.filter(vault=self.vault, kind="snapshots")
        return list(lines.order_by("stored_at").values_list("name", flat=True))

    def at(self, point: str, page: str = "files") -> str:
        return f"{self.restore}/{point}/{page}"

    def unlock(self, password: str = REPOSITORY_PASSWORD) -> None:
        answer = self.client.post(f"{self.restore}/unlock", {"password": password})
        assert answer.status_code == 302, answer.content.decode()

    def lines(self, page: str) -> dict[str, str]:
        """What a page of files lists: each name's reference."""
        import re

        text = self.client.get(page).content.decode()
        found = re.findall(
            r'value="([0-9a-f]{32})" data-size="\d+" aria-label="([^"]*?)\s*">', text
        )
        return {name: reference for reference, name in found}

    def reference(self, point: str, *path: str) -> str:
        """That of a thing in a restore point, found by clicking from its root."""
        page = self.at(point)
        reference = ""
        for name in path:
            listed = self.lines(page)
            assert name in listed, (name, sorted(listed))
            reference = listed[name]
            page = f"{self.at(point)}/{reference}"
        return reference

    def zip_address(self, point: str, *references: str) -> str:
        answer = self.client.post(self.at(point, "download"), {"item": references})
        assert answer.status_code == 302, answer.content.decode()
        return answer.headers["Location"]

    @contextlib.contextmanager
    def http(self) -> Iterator[httpx.Client]:
        """The same browser, over the network."""
        cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        with httpx.Client(base_url=self.address, cookies=cookies, timeout=60) as http:
            yield http

    def unlocked(self) -> UnlockedVault:
        return UnlockedVault.objects.get(vault=self.vault)


@contextlib.contextmanager
def restorer(office: Office, settings: Settings, folder: Path) -> Iterator[Restorer]:
    """A linked device's vault, a repository in it, and the owner's browser."""
    root = folder / "vaults"
    root.mkdir()
    with running_console_here(settings, root) as address:
        location = make_location(
            office.organisation, LocationKind.FOLDER, {"root": str(root), "folder": "cellar"}
        )
        device = make_device(office, "ATELIER-01")
        vault = make_vault(office.organisation, location, device_id=device.pk)
        _row, password = application_passwords.make(
            office.owner, office.organisation, name="device", scopes=[Scope.STORAGE]
        )
        shell = CommandLine(folder).having(
            EVERBOOT_REPOSITORY=f"rest:{address}/storage/{vault.pk}/",
            EVERBOOT_REST_USERNAME=office.owner.login_id,
            EVERBOOT_REST_PASSWORD=password,
        )
        shell.ok("init")
        yield Restorer(logged_in(office.owner), office, device, vault, address, shell)


def make_device(office: Office, name: str) -> Device:
    return Device.objects.create(
        organisation=office.organisation,
        name=name,
        system="Debian 13",
        kind=Kind.BACKUP,
        client_id=name.encode().hex().ljust(64, "0")[:64],
        public_key=bytes(32),
        linked_by=office.owner,
        linked_at=timezone.now(),
    )


def logged_in(user: User) -> Client:
    """A browser of somebody who has just proved who they are."""
    client = Client()
    client.force_login(user)
    client.post("/confirm", {"password": PASSWORD})
    return client


@contextlib.contextmanager
def running_console_here(settings: Settings, *roots: Path) -> Iterator[str]:
    """The whole console within this process; gives ``http://127.0.0.1:PORT``."""
    from console_ui.asgi import application

    listener = listening_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings.EVERBOOT = replace(console_settings(), port=port, storage_roots=roots)
    django_conf.ALLOWED_HOSTS = [*django_conf.ALLOWED_HOSTS, "testserver"]
    server = uvicorn.Server(
        uvicorn.Config(application, lifespan="off", access_log=False, log_level="critical")
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="console")
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.end_all()
        server.should_exit = True
        thread.join()
        listener.close()
