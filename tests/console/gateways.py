"""A storage gateway that really listens, and stock restic as a device in front of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from django.db.models import F

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.accounts import application_passwords
from console_ui.accounts.models import Organisation, Scope, User
from console_ui.audit.actor import THE_CONSOLE
from console_ui.server import listening_socket
from console_ui.storage import catalog, objects, vaults
from console_ui.storage.gateway.application import Gateway
from console_ui.storage.locations import set_fields
from console_ui.storage.models import Location, LocationKind, StoredObject, Vault
from console_ui.storage.stores import stores
from tests.points import PASSWORD as REPOSITORY_PASSWORD
from tests.restic import files_of_init, restic_client


@contextlib.contextmanager
def running_gateway(spool_folder: Path, **options: Any) -> Iterator[str]:
    """Gives ``http://127.0.0.1:PORT``."""
    gateway = Gateway(spool_folder=spool_folder, **options)
    listener = listening_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(gateway, lifespan="off", access_log=False, log_level="critical")
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="gateway")
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        gateway.close()


def make_location(
    organisation: Organisation, kind: LocationKind, fields: dict[str, str], name: str = "Cellar"
) -> Location:
    location = Location(organisation=organisation, name=name, kind=kind)
    set_fields(location, fields)
    location.save()
    return location


def make_vault(organisation: Organisation, location: Location, **options: Any) -> Vault:
    return vaults.make(organisation, location, name="Till's PC", by=THE_CONSOLE, **options)


class FreeHand:
    """The mandate of somebody who may do everything."""

    def objection(self) -> None:
        return None

    def fulfilled(self) -> None:
        return None


def store_object(vault: Vault, kind: FileKind, body: bytes, *, at: datetime) -> StoredObject:
    """As if it had been uploaded at that time."""
    key = ObjectKey(kind, hashlib.sha256(body).hexdigest())
    stores.of(vault).write(key, io.BytesIO(body))
    return catalog.add(vault, key, len(body), at=at)


def delete_object(vault: Vault, line: StoredObject, *, at: datetime) -> None:
    """As a device does it."""
    objects.delete(vault, stores.of(vault), line, mandate=FreeHand(), now=at)


def let_days_pass(vault: Vault, days: float = 3) -> None:
    """Whatever the vault holds, and the vault itself, was there so many days earlier."""
    earlier = timedelta(days=days)
    vault.stored_objects.exclude(stored_at=None).update(stored_at=F("stored_at") - earlier)
    vault.stored_objects.exclude(hidden_at=None).update(hidden_at=F("hidden_at") - earlier)
    Vault.objects.filter(pk=vault.pk).update(made_at=F("made_at") - earlier)


def make_password(user: User, organisation: Organisation, scope: Scope = Scope.STORAGE) -> str:
    """One for all vaults that the organisation has by now."""
    vaults = Vault.objects.of(organisation).values_list("pk", flat=True)
    _row, password = application_passwords.make(
        user, organisation, name="restic", scopes=[scope], reaches=list(vaults)
    )
    return password


@dataclass(frozen=True, slots=True)
class Device:
    """Stock restic on one vault, and plain requests to it."""

    gateway: str
    vault: Vault
    login: str
    password: str
    scratch: Path

    @property
    def url(self) -> str:
        return f"{self.gateway}/storage/{self.vault.pk}/"

    def at(self, gateway: str) -> Device:
        return replace(self, gateway=gateway)

    def __call__(self, *arguments: str | Path, fails: bool = False) -> str:
        """Run restic; it has to succeed, or with ``fails`` to fail."""
        done = subprocess.run(
            self._command(*arguments),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"restic {arguments}: {done.stderr}{done.stdout}"
        return done.stdout if not fails else done.stderr

    def init(self) -> None:
        """Send what ``restic init`` does, with a key that opens at once."""
        with self.client() as http:
            http.post("", params={"create": "true"}).raise_for_status()
            for path, data in files_of_init(2).items():
                http.post(path, content=data).raise_for_status()

    def refused(self, *arguments: str | Path) -> str:
        """Run restic until it tells that an upload was refused, then interrupt it, as it would
        try again for a minute; what it told.
        """
        with subprocess.Popen(
            self._command(*arguments),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            told = next((line for line in process.stderr if line.startswith("Save(")), "")
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
        assert process.returncode != 0, f"restic {arguments}: {told}{rest}"
        return told

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "RESTIC_PASSWORD": REPOSITORY_PASSWORD,
            "TMPDIR": str(self.scratch),
        }

    def _command(self, *arguments: str | Path) -> list[str | Path]:
        host = self.gateway.removeprefix("http://")
        address = f"rest:http://{self.login}:{self.password}@{host}/storage/{self.vault.pk}/"
        return [restic_client(), "--repo", address, "--no-cache", *arguments]

    def check(self) -> None:
        assert "no errors were found" in self("check", "--read-data")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(self.login, self.password), timeout=60)

    def names(self, kind: str) -> list[str]:
        with self.client() as http:
            names: list[str] = http.get(f"{kind}/").raise_for_status().json()
        return names
