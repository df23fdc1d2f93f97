"""rclone as a server: a second WebDAV, and restic's REST protocol with and without TLS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.authority import make_certificates
from tests.servers.process import Command, free_ports, running
from tests.servers.programs import find_program
from tests.servers.running import RunningServer

_USER, _PASSWORD = "grace", "hopper"


@contextmanager
def rclone(folder: Path) -> Iterator[dict[str, RunningServer]]:
    """Gives ``rclone-webdav``, ``rclone-webdav-tls``, ``rclone-rest`` and ``rclone-rest-tls``."""
    certificates = make_certificates(folder)
    tls = ["--cert", str(certificates.certificate), "--key", str(certificates.key)]
    webdav = {"EVERBOOT_WEBDAV_USERNAME": _USER, "EVERBOOT_WEBDAV_PASSWORD": _PASSWORD}
    rest = {"EVERBOOT_REST_USERNAME": _USER, "EVERBOOT_REST_PASSWORD": _PASSWORD}
    with ExitStack() as stack:

        def serve(protocol: str, name: str, options: Sequence[str] = ()) -> str:
            return stack.enter_context(_serving(protocol, folder / name, options))

        yield {
            "rclone-webdav": RunningServer(
                f"webdav:http://{serve('webdav', 'webdav')}/{{name}}", webdav
            ),
            "rclone-webdav-tls": RunningServer(
                f"webdav:https://{serve('webdav', 'webdav-tls', tls)}/{{name}}",
                webdav,
                certificates.authority,
            ),
            "rclone-rest": RunningServer(f"rest:http://{serve('restic', 'rest')}/{{name}}/", rest),
            "rclone-rest-tls": RunningServer(
                f"rest:https://{serve('restic', 'rest-tls', tls)}/{{name}}/",
                rest,
                certificates.authority,
            ),
        }


@contextmanager
def _serving(protocol: str, folder: Path, options: Sequence[str]) -> Iterator[str]:
    """``host:port`` of an rclone that serves ``folder/files``."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    (folder / "files").mkdir(parents=True)
    command: Command = [
        find_program("rclone"),
        "serve",
        protocol,
        folder / "files",
        "--addr",
        address,
    ]
    environment = {
        # Never the configuration of whoever runs the tests.
        "RCLONE_CONFIG": str(folder / "rclone.conf"),
        "RCLONE_USER": _USER,
        "RCLONE_PASS": _PASSWORD,
        # The file system is asked each time: what one client wrote another sees at once.
        "RCLONE_DIR_CACHE_TIME": "0s",
        "RCLONE_CACHE_DIR": str(folder / "cache"),
    }
    with running([*command, *options], folder=folder, environment=environment) as server:
        server.wait_for_port(port)
        yield address
