"""WsgiDAV under cheroot: WebDAV on a folder, with basic authentication."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.environments import environment
from tests.servers.process import Command, free_ports, running
from tests.servers.running import RunningServer


@contextmanager
def wsgidav(folder: Path) -> Iterator[dict[str, RunningServer]]:
    """Gives ``wsgidav``."""
    (port,) = free_ports(1)
    (folder / "files").mkdir()
    settings = folder / "wsgidav.json"
    settings.write_text(json.dumps(_settings(folder / "files", port)))
    command: Command = [environment("wsgidav") / "wsgidav", "--config", settings]
    with running(command, folder=folder) as server:
        server.wait_for_port(port)
        credentials = {"EVERBOOT_WEBDAV_USERNAME": "ada", "EVERBOOT_WEBDAV_PASSWORD": "lovelace"}
        yield {"wsgidav": RunningServer(f"webdav:http://127.0.0.1:{port}/{{name}}", credentials)}


def _settings(files: Path, port: int) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "server": "cheroot",
        "provider_mapping": {"/": str(files)},
        "http_authenticator": {"accept_basic": True, "accept_digest": False},
        "simple_dc": {"user_mapping": {"*": {"ada": {"password": "lovelace"}}}},
        "verbose": 1,
    }
