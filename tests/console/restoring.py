"""A console that listens, with a vault full of restore points and somebody who restores."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from django.conf import settings as django_conf
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import User
from console_ui.devices.models import Device, Kind
from console_ui.django_settings import console_settings
from console_ui.restore.gateway_rights import UnlockedVaults
from console_ui.restore.models import UnlockedVault
from console_ui.server import listening_socket
from console_ui.settings import Tls
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.gateway.application import Gateway
from console_ui.storage.models import LocationKind, Vault
from console_ui.storage.reconcile import reconcile
from console_ui.storage.stores import stores
from console_ui.unlocked.starting import processes
from tests.command_line import PASSWORD as REPOSITORY_PASSWORD
from tests.command_line import CommandLine
from tests.console.gateways import make_location, make_vault
from tests.console.people import PASSWORD, Office
from tests.helpers.small_computer import SmallComputer, make_small_computer
from tests.points import make_new_keys_weak

if TYPE_CHECKING:
    from pytest_django import Settings


LETTER = "Dear Till, <b>all</b> is well"
LARGE_BYTES = 24 << 20
NAMES = ("C:", "..\\up", "trailing dots...", "e\u0301tude", "\u00e9tude", "Twin", "twin")
"""Safe where they came from; an extracting program could take some for others, or for a way up."""
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


@dataclass(frozen=True, slots=True)
class Restorer:
    """``client`` is the browser of the owner, who has just proved who they are."""

    client: Client
    office: Office
    device: Device
    vault: Vault
    address: str
    stored: Stored
    root: Path

    @property
    def restore(self) -> str:
        return f"/vaults/{self.vault.pk}/restore"

    def at(self, point: str, page: str = "files") -> str:
        return f"{self.restore}/{point}/{page}"

    def unlock(self, password: str = REPOSITORY_PASSWORD) -> None:
        answer = self.client.post(f"{self.restore}/unlock", {"password": password})
        assert answer.status_code == 302, answer.content.decode()

    def lines(self, page: str) -> dict[str, str]:
        """What a page of files lists: each name's reference."""
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


@dataclass(frozen=True, slots=True)
class Stored:
    """A repository with a restore point of ``documents``, and one of a small computer's disk."""

    folder: Path
    documents: Path
    files_point: str
    disk_point: str
    computer: SmallComputer

    @property
    def where(self) -> tuple[str, ...]:
        """The folders that lead to the documents, theirs last."""
        return self.documents.parts[1:]


def store_documents(home: Path) -> Stored:
    """Made once for all tests: each takes a copy of the repository."""
    documents = home / "documents"
    (documents / "letters").mkdir(parents=True)
    (documents / "letters" / "Dear Till.txt").write_text(LETTER)
    (documents / "notes.txt").write_bytes("Grüße".encode())
    (documents / "photo.png").write_bytes(PICTURE)
    (documents / "large.bin").write_bytes(random.Random(7).randbytes(LARGE_BYTES))
    (documents / "names").mkdir()
    for name in NAMES:
        (documents / "names" / name).write_text(f"called {name}")
    computer = make_small_computer(home, "windows-gpt")
    shell = CommandLine(home)
    with pytest.MonkeyPatch.context() as patch:
        make_new_keys_weak(patch)
        shell.ok("init")
    shell.ok("backup", documents)
    shell.ok("backup", "--disk", computer.image)
    kinds = {record["kind"]: record["id"] for record in shell.ok("points", "--json").records}
    return Stored(shell.repository, documents, kinds["files"], kinds["disk"], computer)


@contextlib.contextmanager
def restorer(
    stored: Stored, office: Office, settings: Settings, folder: Path, *, tls: Tls | None = None
) -> Iterator[Restorer]:
    """A linked device's vault, with what was stored, and the owner's browser."""
    root = folder / "vaults"
    root.mkdir()
    with running_console_here(settings, root, tls=tls) as address:
        location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(root)})
        device = make_device(office, "ATELIER-01")
        vault = make_vault(office.organisation, location, device_id=device.pk)
        repository = root / str(vault.pk) / "repository"
        shutil.copytree(stored.folder, repository, dirs_exist_ok=True)
        reconcile(vault, stores.of(vault), now=timezone.now())
        yield Restorer(logged_in(office.owner), office, device, vault, address, stored, root)


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
def running_console_here(settings: Settings, *roots: Path, tls: Tls | None = None) -> Iterator[str]:
    """The whole console within this process; gives ``http://127.0.0.1:PORT``."""
    from console_ui import asgi

    listener = listening_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings.EVERBOOT = replace(console_settings(), port=port, storage_roots=roots, tls=tls)
    django_conf.ALLOWED_HOSTS = [*django_conf.ALLOWED_HOSTS, "testserver"]
    server = uvicorn.Server(
        uvicorn.Config(
            asgi.application,
            lifespan="off",
            access_log=False,
            log_level="critical",
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
    )
    # Its own: the threads of another one may still know another test's database.
    tokens = UnlockedVaults(LinkedDevices())
    gateway = Gateway(spool_folder=console_settings().spool_folder, tokens=tokens)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="console")
    before, asgi.gateway = asgi.gateway, gateway
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        processes.end_all()
        server.should_exit = True
        thread.join()
        listener.close()
        asgi.gateway = before
        gateway.close()
