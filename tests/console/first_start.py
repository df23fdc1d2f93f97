"""What a console's first start makes of an empty folder: done once, then copied.

Applying every migration takes longer than most tests. Run as a program, this starts a console in
the folder, just as far as its tables.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite

_ROOT = Path(__file__).parents[2]


def place_first_start(data: Path) -> None:
    """Leave a console in ``data`` that was started once; nothing happens where one lies already."""
    if (data / "console.sqlite3").exists():
        return
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in _files().items():
        file = data / name
        file.touch(mode=0o600)
        file.write_bytes(content)


@cache
def _files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="everboot-first-start-") as folder:
        subprocess.run(
            [sys.executable, "-m", "tests.console.first_start", folder], cwd=_ROOT, check=True
        )
        names = ("console.sqlite3", "key")
        return {name: Path(folder, name).read_bytes() for name in names}


def main(data: Path) -> None:
    database = Sqlite(file=data / "console.sqlite3")
    configure(Settings(data=data, public_address="http://localhost", database=database))
    # Models can be imported only once Django is configured.
    from console_ui.upgrade import upgrade

    list(upgrade(database))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
