"""Storage clients that stay out of networks where they have no business."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from backup_agent.errors import AccessDeniedError, ObjectNotFoundError
from backup_agent.storage.addresses import StorageOptions, open_backend
from backup_agent.storage.backend import CONFIG, FileKind
from backup_agent.storage.egress import EgressPolicy

_LOOPBACK = ip_network("127.0.0.0/8")
_S3 = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


class _Server(ThreadingHTTPServer):
    """Counts what reaches it, and sends everybody to ``elsewhere``."""

    elsewhere = ""
    seen = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.seen += 1
        self.send_response(307 if self.server.elsewhere else 404)
        if self.server.elsewhere:
            self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 (what the base class looks for)

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:ffff::1",
        "::127.0.0.1",
        "::169.254.169.254",
        "::1.1.1.1",
        "fec0::1",
        "feff::1",
        "no address",
        "",
    ],
)
def test_addresses_of_private_networks_are_not_permitted(address: str) -> None:
    assert not EgressPolicy().permits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert EgressPolicy().permits(address)


def test_only_the_network_that_was_allowed_is_permitted_beyond_public_ones() -> None:
    policy = EgressPolicy((ip_network("192.168.7.0/24"),))

    assert policy.permits("192.168.7.9")
    assert policy.permits("::ffff:192.168.7.9")
    assert not policy.permits("192.168.8.9")


@pytest.mark.parametrize(
    ("form", "environment"),
    [
        ("s3:http://{host}:{port}/bucket", _S3),
        ("webdav:http://{host}:{port}/folder", {}),
        ("rest:http://{host}:{port}/", {}),
        (
            "swift:container:/",
            {"ST_AUTH": "http://{host}:{port}/auth/v1.0", "ST_USER": "u", "ST_KEY": "k"},
        ),
        (
            "swift:container:/",
            {
                "OS_AUTH_URL": "http://{host}:{port}/v3",
                "OS_USERNAME": "u",
                "OS_PASSWORD": "p",
                "OS_PROJECT_NAME": "p",
            },
        ),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_client_connects_to_loopback_unless_allowed(
    server: _Server, form: str, environment: dict[str, str], host: str
) -> None:
    where = {"host": host, "port": server.server_port}
    backend = open_backend(
        form.format(**where),
        {name: value.format(**where) for name, value in environment.items()},
        StorageOptions(egress=EgressPolicy()),
    )

    with pytest.raises(AccessDeniedError, match="private network"):
        backend.size(CONFIG)
    with pytest.raises(AccessDeniedError, match="private network"):
        list(backend.list(FileKind.KEY))
    backend.close()
    assert server.seen == 0


def test_a_redirect_into_a_private_network_is_not_followed(server: _Server) -> None:
    with socket.create_server(("127.0.0.2", 0)) as inner:
        inner.setblocking(False)
        server.elsewhere = f"http://127.0.0.2:{inner.getsockname()[1]}/"
        backend = open_backend(
            f"webdav:http://127.0.0.1:{server.server_port}/",
            {},
            StorageOptions(egress=EgressPolicy((ip_network("127.0.0.1/32"),))),
        )

        with pytest.raises(AccessDeniedError, match="private network"):
            backend.size(CONFIG)

        backend.close()
        with pytest.raises(BlockingIOError):
            inner.accept()
    assert server.seen == 1


def test_a_name_that_leads_elsewhere_the_second_time_is_refused(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = iter(["127.0.0.1"])
    ask = socket.getaddrinfo

    def changing(_name: str | bytes | None, *rest: Any, **options: Any) -> Any:
        return ask(next(hosts, "127.0.0.2"), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    policy = EgressPolicy((ip_network("127.0.0.1/32"),))
    backend = open_backend(
        f"webdav:http://storage.example:{server.server_port}/",
        {},
        StorageOptions(egress=policy),
    )

    with pytest.raises(ObjectNotFoundError):
        backend.size(CONFIG)
    with pytest.raises(AccessDeniedError, match="private network"):
        backend.size(CONFIG)
    backend.close()


def test_other_threads_and_later_work_are_not_confined(server: _Server) -> None:
    backend = open_backend(
        f"webdav:http://127.0.0.1:{server.server_port}/",
        {},
        StorageOptions(egress=EgressPolicy()),
    )
    with pytest.raises(AccessDeniedError):
        backend.size(CONFIG)
    backend.close()

    socket.create_connection(("127.0.0.1", server.server_port)).close()


def test_an_allowed_network_can_be_used(server: _Server) -> None:
    backend = open_backend(
        f"rest:http://127.0.0.1:{server.server_port}/",
        {},
        StorageOptions(egress=EgressPolicy((_LOOPBACK,))),
    )

    with pytest.raises(ObjectNotFoundError):
        backend.size(CONFIG)

    backend.close()
    assert server.seen == 1
