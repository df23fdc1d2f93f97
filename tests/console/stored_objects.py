"""One object behind the gateway: sending it, and where it lies."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.console.gateways import Device


def name_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def put(http: httpx.Client, kind: str, body: bytes) -> str:
    name = name_of(body)
    http.post(f"{kind}/{name}", content=body).raise_for_status()
    return name


def stored_path(device: Device, kind: str, name: str) -> Path:
    """Where the object lies in the folder location."""
    from console_ui.storage.locations import place_of

    folder = Path(place_of(device.vault.location).address.removeprefix("local:"))
    inner = f"data/{name[:2]}/{name}" if kind == "data" else f"{kind}/{name}"
    return folder / str(device.vault.pk) / "repository" / inner


def raw_status(device: Device, method: str, path: str, headers: dict[str, str]) -> int:
    """The answer to a request that no client library has tidied up, sent without a body."""
    url = urlsplit(device.url)
    credentials = base64.b64encode(f"{device.login}:{device.password}".encode()).decode()
    with closing(HTTPConnection(url.netloc, timeout=30)) as connection:
        connection.putrequest(method, url.path + path)
        for name, value in {"Authorization": f"Basic {credentials}", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
