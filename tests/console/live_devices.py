"""Add linked devices to a console that runs; prints an access token for each, one a line."""

from __future__ import annotations

import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite


def main(data: Path, count: int) -> None:
    configure(
        Settings(
            data=data,
            public_address="http://localhost",
            database=Sqlite(file=data / "console.sqlite3"),
        )
    )

    from django.utils import timezone

    from console_ui.accounts.models import Organisation
    from console_ui.devices import tokens
    from console_ui.devices.models import Device, Kind

    now, organisation = timezone.now(), Organisation.objects.get()
    for number in range(count):
        device = Device.objects.create(
            organisation=organisation,
            name=f"PC-{number:03}",
            kind=Kind.BACKUP,
            client_id=f"{number:064}",
            public_key=bytes(32),
            linked_at=now,
        )
        print(tokens.issue(device, now=now))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
