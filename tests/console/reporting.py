"""A linked device that reports, and what it reports, for tests of the console."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.test import Client
from django.utils import timezone

from console_ui.devices.models import Device
from tests.console.played_device import link

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

    from tests.console.people import Office


@dataclass(frozen=True, slots=True)
class ReportingDevice:
    """Speaks the agent's side of the API with ``token``."""

    row: Device
    token: str
    http: Client = field(default_factory=Client)

    def send(self, method: str, path: str, body: object = None) -> Answer:
        return self.http.generic(
            method,
            f"/api/v1/device/{path}",
            _json(body),
            "application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def ok(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self.send(method, path, body)
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told

    def heartbeat(self, *plans: dict[str, object]) -> None:
        self.ok("POST", "heartbeat", {"agent_version": "0.1.0", "plans": plans})

    def events(self, *events: dict[str, object]) -> None:
        self.ok("POST", "events", {"events": events})

    def runs(self, outcome: str, *, ago: timedelta = timedelta(), **fields: object) -> None:
        """A run that has ended like that."""
        at = timezone.now() - ago
        run = str(uuid.uuid4())
        self.events(started(run, at), ended(run, at, outcome, **fields))


def reporting_device(office: Office, *, name: str = "ATELIER-01") -> ReportingDevice:
    _played, row, token = link(office, name=name)
    return ReportingDevice(row, token)


def plan(name: str = "Projects", **fields: object) -> dict[str, object]:
    return {"key": str(uuid.uuid4()), "name": name, "what": "/srv/projects", **fields}


def started(run: str, at: datetime) -> dict[str, object]:
    return {"kind": "run_started", "run": run, "at": at.isoformat(), "plan_name": "Projects"}


def ended(run: str, at: datetime, outcome: str, **fields: object) -> dict[str, object]:
    return {
        "kind": "run_ended",
        "run": run,
        "at": (at + timedelta(seconds=90)).isoformat(),
        "started_at": at.isoformat(),
        "outcome": outcome,
        "plan_name": "Projects",
        **fields,
    }


def _json(body: object) -> bytes:
    import json

    return b"" if body is None else json.dumps(body).encode()
