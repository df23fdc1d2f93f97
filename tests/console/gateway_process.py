"""A whole console in a process of its own: ``python -m tests.console.gateway_process FOLDER``.

It makes an organisation with one vault in a folder, or takes up what an earlier process left
there, prints how to reach it as one line of JSON, and serves. ``--devices N`` links so many
devices, each with a vault of its own. ``--die before STEP`` or ``--die after STEP`` lets the
kernel kill the process at its first such step in a storage location.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils import timezone

from backup_agent.services.vault import VaultStore
from console_ui.django_settings import configure
from console_ui.server import listening_socket, serve
from console_ui.settings import Settings, Sqlite

if TYPE_CHECKING:
    from console_ui.storage.models import Vault


def main(folder: Path, devices: int) -> None:
    listener = listening_socket("127.0.0.1", 0)
    port = int(listener.getsockname()[1])
    (folder / "vaults").mkdir(exist_ok=True)
    settings = Settings(
        data=folder,
        public_address=f"http://localhost:{port}",
        database=Sqlite(file=folder / "console.sqlite3"),
        port=port,
        storage_roots=(folder / "vaults",),
    )
    configure(settings)
    from console_ui.installation import prepare

    list(prepare(settings))
    print(json.dumps(_reach(folder, port, devices)), flush=True)
    serve(settings, listener)


def _reach(folder: Path, port: int, devices: int) -> dict[str, object]:
    from console_ui.storage.models import LocationKind, Vault
    from tests.console.gateways import make_location, make_password, make_vault
    from tests.console.people import make_office

    vault = Vault.objects.select_related("organisation", "location").order_by("made_at").first()
    if vault is None:
        organisation = make_office("Keller Fontana Architects").organisation
        fields = {"root": str(folder / "vaults")}
        location = make_location(organisation, LocationKind.FOLDER, fields)
        vault = make_vault(organisation, location)
    owner = vault.organisation.memberships.select_related("user").get(role="owner").user
    place = f"http://127.0.0.1:{port}/storage"
    return {
        "url": f"{place}/{vault.pk}/",
        "login": owner.login_id,
        "password": make_password(owner, vault.organisation),
        "repository": str(folder / "vaults" / str(vault.pk) / "repository"),
        "tokens": {f"{place}/{name}/": token for name, token in _linked(vault, devices)},
    }


def _linked(beside: Vault, devices: int) -> Iterator[tuple[str, str]]:
    """The vault and the token of each of so many new devices."""
    from console_ui.devices import tokens
    from console_ui.devices.models import Device, Kind
    from tests.console.gateways import make_vault

    for number in range(devices):
        device = Device.objects.create(
            organisation=beside.organisation,
            name=f"ATELIER-{number:03}",
            kind=Kind.BACKUP,
            client_id=hashlib.sha256(str(number).encode()).hexdigest(),
            public_key=bytes(32),
            linked_at=timezone.now(),
        )
        vault = make_vault(beside.organisation, beside.location, device_id=device.pk)
        yield str(vault.pk), tokens.issue(device, now=timezone.now())


def _die(when: str, step: str) -> None:
    whole = getattr(VaultStore, step)

    def killed(store: VaultStore, *arguments: object) -> None:
        if when == "after":
            whole(store, *arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(VaultStore, step, killed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", type=int, default=0)
    parser.add_argument("--die", nargs=2)
    given = parser.parse_args()
    if given.die:
        _die(*given.die)
    main(given.folder, given.devices)
