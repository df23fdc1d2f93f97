"""What devices tell the console, and what the API tells people's programs of it."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console_ui.accounts import application_passwords
from console_ui.accounts.models import Role, Scope
from console_ui.activity.models import Command, Plan, Report, RestorePoint, Run
from console_ui.audit.models import Entry
from console_ui.devices.models import Device
from tests.console.people import Office
from tests.console.reporting import ended, plan, reporting_device, started

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

SNAPSHOT = "ab" * 32


def program(office: Office, role: Role = Role.OWNER) -> dict[str, str]:
    """The headers of a program that acts for the member in this role."""
    member = office.member(role)
    _row, password = application_passwords.make(
        member, office.organisation, name="script", scopes=[Scope.API]
    )
    login = base64.b64encode(f"{member.email}:{password}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


def get(path: str, headers: dict[str, str]) -> dict[str, Any]:
    answer = Client().get(f"/api/v1/{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def ask(device: Device, headers: dict[str, str], kind: str = "back_up", **more: str) -> Answer:
    path = f"/api/v1/devices/{device.pk}/commands"
    return Client().post(path, {"kind": kind, **more}, "application/json", headers=headers)


def test_a_heartbeat_brings_the_plans_as_they_are_now(office: Office) -> None:
    device = reporting_device(office)
    later = timezone.now() + timedelta(hours=3)
    kept = plan("Projects", every_hours=6, next_run_at=later.isoformat())

    device.heartbeat(kept, plan("Mail"))
    device.heartbeat({**kept, "name": "Drawings"})

    report = Report.objects.get(device=device.row)
    assert report.next_run_at == later
    assert report.agent_version == "0.1.0"
    told = get(f"devices/{device.row.pk}/plans", program(office))["plans"]
    assert [(each["name"], each["every_hours"]) for each in told] == [("Drawings", 6)]


def test_a_run_is_told_once_however_often_it_arrives(office: Office) -> None:
    device = reporting_device(office)
    run, at = str(uuid.uuid4()), timezone.now()
    point = {"snapshot": SNAPSHOT, "made_at": at.isoformat(), "paths": ["/srv/projects"]}
    end = ended(
        run,
        at,
        "incomplete",
        bytes_added=5,
        omitted=2,
        omissions=[{"path": "/srv/projects/a", "reason": "Permission denied"}],
        point=point,
    )

    for _time in range(2):
        device.events(started(run, at), end)
    device.events({**end, "outcome": "done"})

    kept = Run.objects.get()
    assert (kept.outcome, kept.omitted, kept.bytes_added) == ("incomplete", 2, 5)
    assert RestorePoint.objects.count() == 1
    report = Report.objects.get()
    assert report.running is None
    assert report.last_ended == report.last_saved == kept


def test_an_end_that_arrives_without_its_beginning_is_kept(office: Office) -> None:
    device = reporting_device(office)

    device.events(ended(str(uuid.uuid4()), timezone.now(), "failed", message="The vault is full."))

    told = get(f"devices/{device.row.pk}/events", program(office))["events"]
    assert [(each["outcome"], each["message"]) for each in told] == [
        ("failed", "The vault is full.")
    ]


def test_news_of_long_ago_do_not_replace_newer_ones(office: Office) -> None:
    device = reporting_device(office)
    device.runs("done")

    device.runs("failed", ago=timedelta(days=2))

    assert get(f"devices/{device.row.pk}", program(office))["state"] == "protected"


def test_progress_is_taken_while_the_run_lasts_and_not_after(office: Office) -> None:
    device = reporting_device(office)
    run, at = str(uuid.uuid4()), timezone.now()
    progress = {"run": run, "phase": "files", "bytes_done": 62, "bytes_total": 100}

    assert device.ok("PUT", "progress", progress) == {"taken": 0}
    device.events(started(run, at))
    assert device.ok("PUT", "progress", progress) == {"taken": 1}
    told = get(f"devices/{device.row.pk}", program(office))
    assert told["state"] == "running"
    device.events(ended(run, at, "done"))
    assert device.ok("PUT", "progress", {**progress, "bytes_done": 63}) == {"taken": 0}

    (event,) = get("events", program(office))["events"]
    assert (event["bytes_done"], event["outcome"]) == (62, "done")


def test_a_command_waits_until_its_device_takes_it(office: Office) -> None:
    device = reporting_device(office)

    asked = ask(device.row, program(office, Role.OPERATOR))
    again = ask(device.row, program(office, Role.OPERATOR))

    assert asked.status_code == again.status_code == 201
    assert asked.json()["id"] == again.json()["id"]
    (waiting,) = device.ok("GET", "commands")["commands"]
    assert waiting["kind"] == "back_up"
    device.ok("POST", f"commands/{waiting['id']}", {"state": "taken"})
    assert device.ok("GET", "commands") == {"commands": []}
    assert Entry.objects.filter(action="device.asked_to_back_up").count() == 1
    assert get(f"devices/{device.row.pk}/commands", program(office))["commands"][0]["state"] == (
        "taken"
    )


def test_a_command_names_a_plan_that_the_device_has(office: Office) -> None:
    device, other = reporting_device(office), reporting_device(office, name="RECEPTION")
    mine, foreign = plan("Mine"), plan("Foreign")
    device.heartbeat(mine)
    other.heartbeat(foreign)

    asked = ask(device.row, program(office), plan=str(mine["key"]))
    assert (asked.status_code, asked.json()["plan"]) == (201, mine["key"])

    for key in (str(uuid.uuid4()), str(foreign["key"])):
        refused = ask(device.row, program(office), plan=key)
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_plan")
    assert Command.objects.count() == 1


def test_a_command_of_yesterday_is_not_told_any_more(office: Office) -> None:
    device = reporting_device(office)
    ask(device.row, program(office))
    Command.objects.update(expires_at=timezone.now())

    assert device.ok("GET", "commands") == {"commands": []}


def test_a_device_answers_only_its_own_commands(office: Office) -> None:
    one, other = reporting_device(office), reporting_device(office, name="RECEPTION")
    command = ask(one.row, program(office)).json()["id"]

    assert other.send("POST", f"commands/{command}", {"state": "taken"}).status_code == 404
    assert other.ok("GET", "commands") == {"commands": []}
    assert Command.objects.get().state == "waiting"


def test_viewers_look_and_do_not_command(office: Office) -> None:
    device = reporting_device(office)
    viewer = program(office, Role.VIEWER)

    assert get("devices", viewer)["count"] == 1
    refused = ask(device.row, viewer)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_small")
    assert not Command.objects.exists()


@pytest.mark.parametrize("path", ["", "/plans", "/events", "/restore-points", "/commands"])
def test_another_organisation_finds_nothing(
    office: Office, other_office: Office, path: str
) -> None:
    device = reporting_device(office)
    device.runs("done")
    stranger = program(other_office)

    answer = Client().get(f"/api/v1/devices/{device.row.pk}{path}", headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert ask(device.row, stranger).status_code == 404
    assert get("events", stranger)["events"] == []
    assert get("devices", stranger) == {"devices": [], "count": 0}


def test_the_audit_log_is_for_administrators(office: Office) -> None:
    reporting_device(office)

    told = get("audit?limit=1", program(office, Role.ADMIN))["entries"]
    assert [entry["action"] for entry in told] == ["device.linked"]
    older = get(f"audit?before={told[0]['sequence']}", program(office, Role.ADMIN))["entries"]
    assert [entry["action"] for entry in older] == ["device.approved"]
    refused = Client().get("/api/v1/audit", headers=program(office, Role.OPERATOR))
    assert refused.status_code == 403


def test_a_browser_reads_with_its_session_and_changes_with_its_forms_token(office: Office) -> None:
    device = reporting_device(office)
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.owner)
    path = f"/api/v1/devices/{device.row.pk}/commands"

    assert client.get("/api/v1/devices").json()["count"] == 1
    forged = client.post(path, {"kind": "stop"}, "application/json")
    assert forged.status_code == 401
    client.get("/account")
    token = client.cookies["everboot-csrf"].value
    meant = client.post(path, {"kind": "stop"}, "application/json", headers={"X-CSRFToken": token})
    assert meant.status_code == 201


@pytest.mark.parametrize("path", ["devices", "device/commands", "audit", "no/such/thing"])
def test_strangers_get_the_one_shape_of_refusal(db: None, path: str) -> None:
    answer = Client().get(f"/api/v1/{path}")

    assert answer.status_code == (404 if path == "no/such/thing" else 401)
    assert set(answer.json()) == {"code", "message"}


def test_a_heartbeat_that_tells_nothing_new_asks_the_database_little(office: Office) -> None:
    device = reporting_device(office)
    plans = [plan(f"Plan {n}", next_run_at="2030-01-01T00:00:00Z") for n in range(20)]
    device.heartbeat(*plans)

    with CaptureQueriesContext(connection) as asked:
        device.heartbeat(*plans)

    # The token, the plans, the report, around them a transaction.
    assert len([q for q in asked if q["sql"].startswith(("SELECT", "UPDATE"))]) == 3
    assert len(asked) <= 5


def test_a_heartbeat_changes_adds_and_removes_plans(office: Office) -> None:
    device = reporting_device(office)
    kept, changed, gone = plan("Kept"), plan("Changed"), plan("Gone")
    device.heartbeat(kept, changed, gone)

    device.heartbeat(kept, {**changed, "every_hours": 6}, plan("Added"))

    told = dict(Plan.objects.values_list("name", "every_hours"))
    assert told == {"Kept": 0, "Changed": 6, "Added": 0}


def test_methods_that_do_nothing_get_the_one_shape_of_refusal(office: Office) -> None:
    device = reporting_device(office)

    answer = device.send("PATCH", "vaults")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "body",
    [
        {"events": [{"kind": "run_ended"}]},
        {"events": [{**started("no-uuid", timezone.now())}]},
        {"events": [{**started(str(uuid.uuid4()), timezone.now()), "plan_name": "a\0b"}]},
        {"events": [{**started(str(uuid.uuid4()), timezone.now()), "at": "0001-01-01T00:00Z"}]},
        {"events": [ended(str(uuid.uuid4()), timezone.now(), "done", files=2**63)]},
    ],
)
def test_nonsense_is_refused_and_nothing_of_it_kept(office: Office, body: object) -> None:
    device = reporting_device(office)

    answer = device.send("POST", "events", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not Run.objects.exists()


def test_a_removed_device_tells_nothing_more(office: Office) -> None:
    device = reporting_device(office)
    Device.objects.filter(pk=device.row.pk).update(revoked_at=timezone.now())

    assert device.send("POST", "heartbeat", {"plans": [plan()]}).status_code == 401
    assert not Plan.objects.exists()
