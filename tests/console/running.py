"""A console as its users run it: the command, in a process of its own."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.console.first_start import place_first_start
from tests.servers.process import Server, running

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class RunningConsole:
    """``address`` is http://localhost:PORT, ``set_up_link`` empty once there is an owner."""

    address: str
    set_up_link: str
    data: Path
    server: Server


@contextlib.contextmanager
def running_console(
    folder: Path,
    *options: str,
    secrets: Mapping[str, str] | None = None,
    port: int = 0,
    from_nothing: bool = False,
) -> Iterator[RunningConsole]:
    """``everboot console`` on this port, else a free one, its data in ``folder``.

    ``secrets`` are environment variables, as passwords may not stand among the options. A new
    console finds its tables made, but for one that starts ``from_nothing``.
    """
    data = folder / "data"
    if not from_nothing:
        place_first_start(data)
    command = (sys.executable, "-m", "backup_agent", "console")
    environment = {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", **(secrets or {})}
    arguments = (*command, "--data", str(data), "--port", str(port), *options)
    with running(arguments, folder=folder, name="console", environment=environment) as server:
        # The last line it prints; connections wait for it from then on.
        server.wait_until(lambda: "Ctrl-C ends it" in server.log.read_text())
        told = server.log.read_text()
        address = re.search(r"console: (https?://\S+:\d+)", told)
        assert address is not None
        link = re.search(r"\S+/setup#\S+", told)
        yield RunningConsole(address[1], link[0] if link else "", data, server)
