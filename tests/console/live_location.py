"""Run as a program: adds a storage location to the console whose data lie in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite


def main(data: Path, root: Path) -> None:
    configure(
        Settings(
            data=data,
            public_address="http://localhost",
            database=Sqlite(file=data / "console.sqlite3"),
            storage_roots=(root,),
        )
    )
    from console_ui.accounts.models import Organisation
    from console_ui.storage.models import LocationKind
    from tests.console.gateways import make_location

    fields = {"root": str(root), "folder": "vaults"}
    make_location(Organisation.objects.get(), LocationKind.FOLDER, fields)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
