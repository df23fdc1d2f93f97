"""``everboot agent`` and a console that runs: commands, progress, an outage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.agents import LinkedShell, linked_shell
from tests.console.live_owner import LiveOwner, add_folder, become_owner
from tests.console.running import running_console

pytestmark = pytest.mark.usefixtures("weak_keys")

_PATIENCE_SECONDS = 60


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[LiveOwner]:
    with (
        running_console(tmp_path, "--storage-root", str(tmp_path)) as console,
        httpx.Client(base_url=console.address) as http,
    ):
        made = become_owner(console, http)
        add_folder(console, tmp_path)
        yield made


@pytest.fixture
def device(owner: LiveOwner, tmp_path: Path) -> LinkedShell:
    return linked_shell(tmp_path / "home", owner.console.address, owner.approve)


def the_device(owner: LiveOwner) -> dict[str, Any]:
    (found,) = owner.http.get("/api/v1/devices").json()["devices"]
    told: dict[str, Any] = found
    return told


def events(owner: LiveOwner) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = owner.http.get("/api/v1/events").json()["events"]
    return told


def ask(owner: LiveOwner, kind: str) -> None:
    token = next(value for name, value in owner.http.cookies.items() if name.endswith("csrf"))
    path = f"/api/v1/devices/{the_device(owner)['id']}/commands"
    answer = owner.http.post(path, json={"kind": kind}, headers={"X-CSRFToken": token})
    assert answer.status_code == 201, answer.text


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_backup_asked_for_is_made_and_told_with_its_restore_point(
    owner: LiveOwner, device: LinkedShell
) -> None:
    with device.agent():
        wait_until(lambda: the_device(owner)["agent_version"] != "")
        ask(owner, "back_up")
        wait_until(lambda: the_device(owner)["state"] == "protected")

    (run,) = events(owner)
    assert (run["outcome"], run["files"], run["plan"]) == ("done", 1, "Projects")
    identity = the_device(owner)["id"]
    points = owner.http.get(f"/api/v1/devices/{identity}/restore-points").json()
    (made,) = device.shell.ok("points", "--json").records
    assert points["count"] == 1
    assert points["restore_points"][0]["id"].startswith(made["id"][:8])


def test_a_run_is_watched_and_stopped_and_leaves_no_restore_point(
    owner: LiveOwner, device: LinkedShell
) -> None:
    device.make_backup_endless()
    with device.agent():
        ask(owner, "back_up")
        wait_until(lambda: any(run["bytes_done"] > 0 for run in events(owner)))
        assert the_device(owner)["state"] == "running"
        ask(owner, "stop")
        wait_until(lambda: events(owner)[0]["outcome"] == "stopped")

    assert device.shell.ok("points", "--json").records == []
    assert device.shell.ok("check").code == 0


def test_what_happens_while_the_console_is_away_is_told_when_it_is_back(
    owner: LiveOwner, device: LinkedShell
) -> None:
    # A device's own plans need no console: only its vault does, so this one fails, and is told.
    owner.console.server.process.terminate()
    owner.console.server.process.wait()
    device.shell.run("plan", "run", "Projects")

    with (
        running_console(
            owner.console.data.parent,
            "--storage-root",
            str(owner.console.data.parent),
            port=int(owner.console.address.rpartition(":")[2]),
        ),
        device.agent(),
    ):
        wait_until(lambda: len(events(owner)) == 1)

    assert device.shell.ok("status", "--json").of_type("run")[0]["outcome"] == "failed"
