"""Run as a program: give the only organisation of a console that runs a vault full of files.

``DATA ROOT REPOSITORY`` copies the repository into a new vault below ROOT, and prints the vault's
id.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite


def main(data: Path, root: Path, repository: Path) -> None:
    configure(
        Settings(
            data=data,
            public_address="http://localhost",
            database=Sqlite(file=data / "console.sqlite3"),
            storage_roots=(root,),
        )
    )
    from django.utils import timezone

    from console_ui.accounts.models import Organisation
    from console_ui.storage.models import LocationKind
    from console_ui.storage.reconcile import reconcile
    from console_ui.storage.stores import stores
    from tests.console.gateways import make_location, make_vault

    organisation = Organisation.objects.get()
    location = make_location(organisation, LocationKind.FOLDER, {"root": str(root)})
    vault = make_vault(organisation, location)
    place = root / str(vault.pk) / "repository"
    shutil.copytree(repository, place, dirs_exist_ok=True)
    reconcile(vault, stores.of(vault), now=timezone.now())
    print(vault.pk)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
