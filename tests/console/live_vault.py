"""Run as a program: a vault in the console whose data lie in a folder, for stock restic.

``make DATA ROOT`` makes it, with an application password, and prints how to reach it as one line
of JSON; ``age DATA ROOT`` lets three days pass for what it holds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite


def main(wish: str, data: Path, root: Path) -> None:
    configure(
        Settings(
            data=data,
            public_address="http://localhost",
            database=Sqlite(file=data / "console.sqlite3"),
            storage_roots=(root,),
        )
    )
    from console_ui.accounts.models import Membership
    from console_ui.storage.models import LocationKind, Vault
    from tests.console.gateways import let_days_pass, make_location, make_password, make_vault

    if wish == "age":
        let_days_pass(Vault.objects.get())
        return
    owner = Membership.objects.select_related("user", "organisation").get(role="owner")
    fields = {"root": str(root), "folder": "vaults"}
    location = make_location(owner.organisation, LocationKind.FOLDER, fields)
    vault = make_vault(owner.organisation, location)
    password = make_password(owner.user, owner.organisation)
    print(json.dumps({"id": str(vault.pk), "login": owner.user.login_id, "password": password}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
