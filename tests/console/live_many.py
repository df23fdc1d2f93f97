"""Run as a program: give the only organisation of a console that runs very much of everything.

``DATA ROOT DEVICES POINTS`` adds so many devices with a history, and a vault with so many restore
points of the first one, as the catalog has them; prints the first device's id. There must be a
storage location below ROOT.
"""

from __future__ import annotations

import sys
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite


def main(data: Path, root: Path, devices: int, points: int) -> None:
    configure(
        Settings(
            data=data,
            public_address="http://localhost",
            database=Sqlite(file=data / "console.sqlite3"),
            storage_roots=(root,),
        )
    )
    from console_ui.accounts.models import Organisation
    from console_ui.devices.models import Device
    from console_ui.storage.models import Location
    from tests.console.gateways import make_vault
    from tests.console.test_browsing_much import add_points as add_stored
    from tests.console.test_devices_page import add_devices, add_points

    organisation = Organisation.objects.get()
    add_devices(organisation, 0, devices)
    first = Device.objects.order_by("name")[0]
    vault = make_vault(organisation, Location.objects.get(), device_id=first.pk)
    add_stored(vault, points)
    add_points(first, 0, points)
    print(first.pk)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
