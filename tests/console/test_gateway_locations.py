"""The gateway in front of real object storage."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from pytest_django import Settings

from backup_agent.storage import addresses
from backup_agent.storage.addresses import open_backend
from backup_agent.storage.backend import FileKind, ObjectKey
from console_ui.django_settings import console_settings
from console_ui.storage import locations
from console_ui.storage.models import Location, LocationKind
from console_ui.storage.stores import stores
from tests.console.gateways import (
    Device,
    make_location,
    make_password,
    make_vault,
    running_gateway,
)
from tests.console.people import Office, make_office
from tests.console.test_gateway_with_restic import contents, make_files
from tests.servers.park import ServerPark, server_park
from tests.servers.running import RunningServer


@pytest.fixture(scope="session")
def park() -> Iterator[ServerPark]:
    with server_park() as servers:
        yield servers


@pytest.fixture
def office(transactional_db: None, settings: Settings) -> Iterator[Office]:
    """An organisation on a console that may reach servers on loopback."""
    loopback = ip_network("127.0.0.0/8")
    settings.EVERBOOT = replace(console_settings(), storage_networks=(loopback,))
    yield make_office("Keller Fontana Architects")
    stores.close()


def fields_of(server: RunningServer) -> tuple[LocationKind, dict[str, str]]:
    """What an administrator would fill in for that server."""
    known = server.environment
    kind, _, rest = server.at("everboot-vaults").partition(":")
    match kind:
        case "s3":
            url = urlsplit(rest)
            return LocationKind.S3, {
                "endpoint": f"{url.scheme}://{url.netloc}",
                "bucket": url.path.strip("/"),
                "path": "some/where",
                "region": known["AWS_DEFAULT_REGION"],
                "access_key": known["AWS_ACCESS_KEY_ID"],
                "secret_key": known["AWS_SECRET_ACCESS_KEY"],
            }
        case "webdav":
            return LocationKind.WEBDAV, {
                "url": rest,
                "username": known["EVERBOOT_WEBDAV_USERNAME"],
                "password": known["EVERBOOT_WEBDAV_PASSWORD"],
            }
        case _ if "ST_AUTH" in known:
            return LocationKind.SWIFT, {
                "auth_url": known["ST_AUTH"],
                "username": known["ST_USER"],
                "password": known["ST_KEY"],
                "container": "everboot-vaults",
            }
        case _ if "OS_APPLICATION_CREDENTIAL_ID" in known:
            return LocationKind.SWIFT, {
                "auth_url": known["OS_AUTH_URL"],
                "application_credential_id": known["OS_APPLICATION_CREDENTIAL_ID"],
                "application_credential_secret": known["OS_APPLICATION_CREDENTIAL_SECRET"],
                "container": "everboot-vaults",
                "path": "some/where",
            }
        case _:
            return LocationKind.SWIFT, {
                "auth_url": known["OS_AUTH_URL"],
                "username": known["OS_USERNAME"],
                "password": known["OS_PASSWORD"],
                "project": known["OS_PROJECT_NAME"],
                "container": "everboot-vaults",
            }


def location_at(office: Office, server: RunningServer) -> Location:
    return make_location(office.organisation, *fields_of(server))


@pytest.fixture
def device(
    office: Office, tmp_path: Path, request: pytest.FixtureRequest, park: ServerPark
) -> Iterator[Device]:
    """A device whose vault lies behind the door that the test names."""
    location = location_at(office, park.door(request.param))
    vault = make_vault(office.organisation, location)
    password = make_password(office.owner, office.organisation)
    with running_gateway(tmp_path) as gateway:
        yield Device(gateway, vault, office.owner.login_id, password, tmp_path)


OBJECT_STORES = pytest.mark.parametrize("device", ["swift-s3", "swift"], indirect=True)


@OBJECT_STORES
def test_restic_backs_up_restores_and_prunes(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    make_files(files, 2)
    device("backup", files)
    device("restore", "latest", "--target", tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(files)
    device("forget", "--keep-last", "1", "--prune")
    device.check()


@OBJECT_STORES
def test_our_own_client_reads_packs_from_the_storage_itself(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    Location.objects.update(gives_read_addresses=True)
    body = bytes(range(256)) * 100
    seen: list[httpx.Request] = []
    send = httpx.Client.send

    def noting(client: httpx.Client, request: httpx.Request, **options: object) -> httpx.Response:
        answer = send(client, request, **options)  # type: ignore[arg-type]
        seen.extend(each.request for each in [*answer.history, answer])
        return answer

    monkeypatch.setattr(httpx.Client, "send", noting)
    backend = open_backend(
        f"rest:{device.url}",
        {"EVERBOOT_REST_USERNAME": device.login, "EVERBOOT_REST_PASSWORD": device.password},
    )

    key = ObjectKey(FileKind.PACK, hashlib.sha256(body).hexdigest())
    backend.save(key, body)
    seen.clear()

    assert backend.load(key) == body
    assert backend.load(key, 1000, 77) == body[1000:1077]
    backend.close()

    elsewhere = [
        each
        for each in seen
        if str(each.url.copy_with(path="/", query=None)) not in f"{device.gateway}/"
    ]
    assert len(elsewhere) == 2
    assert all("Authorization" not in each.headers for each in elsewhere)


@pytest.mark.parametrize(
    "door",
    ["swift", "swift-s3", "keystone-password", "keystone-application-credential", "wsgidav"],
)
def test_a_connection_can_be_tested(office: Office, park: ServerPark, door: str) -> None:
    server = park.door(door)
    assert locations.try_connection(location_at(office, server)) is None

    wrong = make_location(office.organisation, *fields_of(server.with_wrong_secret()), name="Wrong")
    failure = locations.try_connection(wrong)

    assert failure is not None
    wrong.refresh_from_db()
    assert wrong.test_failure == failure.message


def test_a_place_on_loopback_is_refused_unless_allowed(
    office: Office, park: ServerPark, settings: Settings
) -> None:
    settings.EVERBOOT = replace(console_settings(), storage_networks=())

    failure = locations.try_connection(location_at(office, park.door("swift-s3")))

    assert failure is not None
    assert "private network" in failure.message


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backends try again at once: servers on loopback need no rest."""
    hasty = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(addresses, "time", hasty)
