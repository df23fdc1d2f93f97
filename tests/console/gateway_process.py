"""A whole console in a process of its own: ``python -m tests.console.gateway_process FOLDER``.

It makes an organisation with one vault in a folder, or takes up what an earlier process left
there, prints how to reach it as one line of JSON, and serves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.server import listening_socket, serve
from console_ui.settings import Settings, Sqlite


def main(folder: Path) -> None:
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
    print(json.dumps(_reach(folder, port)), flush=True)
    serve(settings, listener)


def _reach(folder: Path, port: int) -> dict[str, str]:
    from console_ui.storage.models import LocationKind, Vault
    from tests.console.gateways import make_location, make_password, make_vault
    from tests.console.people import make_office

    vault = Vault.objects.select_related("organisation").first()
    if vault is None:
        organisation = make_office("Keller Fontana Architects").organisation
        fields = {"root": str(folder / "vaults")}
        location = make_location(organisation, LocationKind.FOLDER, fields)
        vault = make_vault(organisation, location)
    owner = vault.organisation.memberships.select_related("user").get(role="owner").user
    return {
        "url": f"http://127.0.0.1:{port}/storage/{vault.pk}/",
        "login": owner.login_id,
        "password": make_password(owner, vault.organisation),
        "repository": str(folder / "vaults" / str(vault.pk) / "repository"),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
