"""Every client trusts the same authorities: those that the person or the system names."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from backup_agent.errors import StorageError, UsageError
from backup_agent.storage import authorities
from backup_agent.storage.addresses import StorageOptions, open_backend
from backup_agent.storage.authorities import authorities_file, tls_context
from tests.unit.storage.certificates import server_context
from tests.unit.storage.objects import key_of
from tests.unit.storage.web_server import Answer, Request, web_server

_DATA = b"a pack"
_CLIENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "s3": ("s3:{url}/bucket", {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}),
    "swift": ("swift:c:/", {"ST_AUTH": "{url}/auth", "ST_USER": "ada", "ST_KEY": "secret"}),
    "keystone": (
        "swift:c:/",
        {
            "OS_AUTH_URL": "{url}/v3",
            "OS_APPLICATION_CREDENTIAL_ID": "id",
            "OS_APPLICATION_CREDENTIAL_SECRET": "secret",
        },
    ),
    "rest": ("rest:{url}/", {}),
    "webdav": ("webdav:{url}/", {}),
}


def _answer(request: Request) -> Answer:
    """Logs in whoever asks, and has one object."""
    account = f"https://{request.headers['Host']}/v1/account"
    match request.path:
        case "/auth":
            return Answer(headers={"X-Storage-Url": account, "X-Auth-Token": "token"})
        case "/v3/auth/tokens":
            endpoint = {"id": "e", "interface": "public", "url": account, "region": "r"}
            catalog = [{"type": "object-store", "id": "s", "name": "s", "endpoints": [endpoint]}]
            times = {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z"}
            token = {"catalog": catalog, "methods": ["application_credential"], **times}
            body = json.dumps({"token": token}).encode()
            return Answer(201, body, {"X-Subject-Token": "t", "Content-Type": "application/json"})
        case _:
            return Answer(200, _DATA)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A certificate that no system knows; its key serves 127.0.0.1 (see ``_load``)."""
    (tmp_path / "tls").mkdir()
    return tmp_path / "tls" / "certificate.pem"


def _load(client: str, folder: Path, *, cacert: Path | None = None, **trust: str) -> bytes:
    """What that client reads from a server whose certificate lies in ``folder``."""
    tls = server_context(folder, valid_from_days=-1, valid_to_days=1)
    address, variables = _CLIENTS[client]
    with web_server(_answer, tls=tls) as host:
        url = f"https://{host}"
        environment = {name: value.format(url=url) for name, value in variables.items()}
        backend = open_backend(
            address.format(url=url), {**environment, **trust}, StorageOptions(cacert=cacert)
        )
        with contextlib.closing(backend):
            return backend.load(key_of(_DATA))


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_client_trusts_the_file_that_ssl_cert_file_names(client: str, private: Path) -> None:
    assert _load(client, private.parent, SSL_CERT_FILE=str(private)) == _DATA


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_client_trusts_the_systems_file(
    client: str, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = ssl.get_default_verify_paths()._replace(openssl_cafile=str(private))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system)
    assert _load(client, private.parent) == _DATA


@pytest.mark.parametrize("client", _CLIENTS)
def test_a_certificate_of_nobody_the_system_knows_is_refused(client: str, private: Path) -> None:
    with pytest.raises(StorageError, match="not trusted"):
        _load(client, private.parent)


def test_the_command_line_wins_over_the_environment(private: Path, tmp_path: Path) -> None:
    ignored = str(tmp_path / "never looked at")
    assert _load("rest", private.parent, cacert=private, SSL_CERT_FILE=ignored) == _DATA


@pytest.mark.parametrize(
    ("client", "variable"), [("s3", "AWS_CA_BUNDLE"), ("keystone", "OS_CACERT")]
)
def test_a_storages_own_variable_wins_over_the_general_one(
    client: str, variable: str, private: Path, tmp_path: Path
) -> None:
    named = {variable: str(private), "SSL_CERT_FILE": str(tmp_path / "never looked at")}
    assert _load(client, private.parent, cacert=None, **named) == _DATA


def test_a_folder_of_authorities_counts_beside_the_file(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_context(private.parent, valid_from_days=-1, valid_to_days=1)
    named = {"SSL_CERT_FILE": str(private), "SSL_CERT_DIR": str(tmp_path)}
    for name, value in named.items():
        monkeypatch.setenv(name, value)

    # Not the file alone: OpenSSL reads both variables itself.
    assert authorities_file("rest", named, cacert=None) is None
    assert tls_context(None).cert_store_stats()["x509_ca"] == 1
    assert authorities_file("s3", named, cacert=None) == private


@pytest.mark.parametrize("file", ["/dev/null", "missing.pem", "no certificate"])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "--cacert"])
def test_a_file_without_certificates_is_named_and_by_whom(
    file: str, variable: str, tmp_path: Path
) -> None:
    (tmp_path / "no certificate").write_text("-----BEGIN CERTIFICATE-----\nnone\n")
    path = tmp_path / file
    cacert, environment = (path, {}) if variable == "--cacert" else (None, {variable: str(path)})
    with pytest.raises(UsageError) as caught:
        authorities_file("s3", environment, cacert=cacert)
    assert str(path) in caught.value.message
    assert "[SSL" not in caught.value.message
    assert "_ssl.c" not in caught.value.message
    assert variable in caught.value.hint


def test_where_the_system_has_no_store_the_one_brought_along_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(tmp_path / "none"), cafile="", capath=""
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(authorities, "_DISTRIBUTIONS", ())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    assert authorities_file("rest", {}, cacert=None) is None
    monkeypatch.setattr(authorities, "_brought_along", lambda: _BROUGHT)
    assert tls_context(None) is _BROUGHT


_BROUGHT = ssl.create_default_context()
