"""The API keeps what its description promises: schemathesis reads it and tries to break it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from backup_agent.crypto.signature import new_signing_key
from backup_agent.services.link.console import ConsoleClient
from backup_agent.services.link.identity import Console
from tests.console.live_owner import LiveOwner, become_owner
from tests.console.running import running_console
from tests.servers.environments import environment
from tests.servers.process import run

# A hang would cost minutes; what waits on purpose has tests of its own.
_WAITS = "GET /api/v1/device/commands"
# After this one the device has no token any more: it goes last.
_UNLINKS = "DELETE /api/v1/device"

_FOR_DEVICES = (
    *("device", "device/vaults", "device/managed-password", "device/heartbeat"),
    *("device/events", "device/progress", "device/commands", "device/commands/{command_id}"),
    "devices/{source_id}/managed-password",
)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[LiveOwner]:
    with (
        running_console(tmp_path) as console,
        httpx.Client(base_url=console.address) as http,
    ):
        yield become_owner(console, http)


def device_token(owner: LiveOwner) -> str:
    with ConsoleClient(Console(owner.console.address), new_signing_key(), {}) as client:
        codes = client.ask_for_codes(name="ATELIER-01", system="Debian 13", scope="backup")
        owner.approve(codes.user_code)
        return client.redeem(codes.device_code).access_token


def application_password(owner: LiveOwner) -> str:
    """A login ready for HTTP Basic."""
    page = owner.post(
        "/account/application-passwords/make", name="script", scope="api", days="0"
    ).text
    shown = re.search(r'id="password">([0-9A-Z-]+)<', page)
    assert shown is not None, page
    return base64.b64encode(f"mira@keller.example:{shown[1]}".encode()).decode()


def try_to_break(
    owner: LiveOwner, folder: Path, chosen: Sequence[str], headers: Sequence[str]
) -> str:
    """Send what the description allows and what it forbids; no answer may be a server's error."""
    return run(
        [
            environment("schemathesis") / "st",
            "run",
            f"{owner.console.address}/api/v1/openapi.json",
            *chosen,
            *(f"--header={header}" for header in headers),
            "--checks=not_a_server_error,response_schema_conformance,status_code_conformance",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=15",
            "--generation-deterministic",
            "--no-color",
            "--warnings=off",
        ],
        folder=folder,
        timeout_seconds=300,
    )


def test_nothing_that_people_may_send_breaks_the_api(owner: LiveOwner, tmp_path: Path) -> None:
    device_token(owner)
    cookies = "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items())
    token = next(value for name, value in owner.http.cookies.items() if name.endswith("csrf"))

    headers = (f"Cookie: {cookies}", f"X-CSRFToken: {token}")
    try_to_break(owner, tmp_path, ["--include-tag=people"], headers)

    assert owner.http.get("/api/v1/devices").json()["count"] == 1


def test_nothing_that_programs_may_send_breaks_the_api(owner: LiveOwner, tmp_path: Path) -> None:
    device_token(owner)
    login = application_password(owner)

    try_to_break(owner, tmp_path, ["--include-tag=people"], [f"Authorization: Basic {login}"])

    asked = owner.http.get("/api/v1/audit").json()["entries"]
    assert any(each["action"] == "device.asked_to_back_up" for each in asked)


def test_nothing_that_devices_may_tell_breaks_the_api(owner: LiveOwner, tmp_path: Path) -> None:
    token = device_token(owner)

    headers = [f"Authorization: Bearer {token}"]
    rest = ["--include-tag=device", f"--exclude-name={_WAITS}", f"--exclude-name={_UNLINKS}"]
    try_to_break(owner, tmp_path, rest, headers)

    # What it allows was taken, and pages show it.
    assert owner.http.get("/api/v1/events").json()["events"] != []
    assert owner.http.get("/devices").status_code == 200
    try_to_break(owner, tmp_path, [f"--include-name={_UNLINKS}"], headers)
    assert owner.http.get("/api/v1/devices").json()["count"] == 0


def test_the_description_names_every_way_in(db: None) -> None:
    from console_ui.api.application import api

    described = api.get_openapi_schema()
    schemes = described["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"http", "apiKey"}
    for path in _FOR_DEVICES:
        assert f"/api/v1/{path}" in described["paths"]
