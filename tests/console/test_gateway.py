"""The gateway's rules, request by request."""

from __future__ import annotations

import base64

import httpx
import pytest
from django.utils import timezone

from console_ui.audit.models import Entry
from console_ui.storage.models import State, StoredObject, Vault
from tests.console.gateways import Device
from tests.console.stored_objects import name_of, put, raw_status, stored_path

_V2 = {"Accept": "application/vnd.x.restic.rest.v2"}


def test_what_was_stored_can_be_listed_measured_and_read(device: Device) -> None:
    body = bytes(range(256)) * 10
    with device.client() as http:
        name = put(http, "data", body)

        assert http.get("data/").json() == [name]
        assert http.get("data/", headers=_V2).json() == [{"name": name, "size": len(body)}]
        assert http.get("index/", headers=_V2).json() == []
        assert http.head(f"data/{name}").headers["Content-Length"] == str(len(body))
        assert http.get(f"data/{name}").content == body


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=5-9", 206, slice(5, 10)),
        ("bytes=7-", 206, slice(7, None)),
        ("bytes=90-1000", 206, slice(90, None)),
        ("bytes=-3", 206, slice(-3, None)),
        ("bytes=100-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
    ],
)
def test_ranges_are_read_as_the_standard_says(
    device: Device, wanted: str, status: int, part: slice | None
) -> None:
    body = bytes(range(100))
    with device.client() as http:
        name = put(http, "data", body)
        answer = http.get(f"data/{name}", headers={"Range": wanted})

    assert answer.status_code == status
    if part is not None:
        assert answer.content == body[part]


def test_a_body_must_have_its_name_for_its_hash(device: Device) -> None:
    with device.client() as http:
        answer = http.post(f"data/{name_of(b'this')}", content=b"that")

        assert answer.status_code == 400
        assert http.get("data/").json() == []
    assert not stored_path(device, "data", name_of(b"this")).exists()


def test_the_same_again_is_welcome_and_changes_nothing(device: Device) -> None:
    with device.client() as http:
        name = put(http, "data", b"once")
        before = stored_path(device, "data", name).stat()
        put(http, "data", b"once")

    assert stored_path(device, "data", name).stat() == before
    assert Vault.objects.get().visible_bytes == len(b"once")


def test_a_damaged_object_is_healed_by_sending_it_again(device: Device) -> None:
    with device.client() as http:
        name = put(http, "data", b"whole and well")
        path = stored_path(device, "data", name)
        path.chmod(0o600)
        path.write_bytes(b"who")
        put(http, "data", b"whole and well")

        assert http.get(f"data/{name}").content == b"whole and well"


def test_the_config_is_stored_once_and_never_replaced(device: Device) -> None:
    with device.client() as http:
        assert http.post("config", content=b"first").status_code == 200
        assert http.post("config", content=b"first").status_code == 200
        assert http.post("config", content=b"other").status_code == 403
        assert http.delete("config").status_code == 403
        assert http.get("config").content == b"first"


def test_the_last_key_and_the_consoles_key_cannot_be_deleted(device: Device) -> None:
    with device.client() as http:
        ours, theirs = put(http, "keys", b"console"), put(http, "keys", b"device")
        Vault.objects.update(console_key=ours)

        assert http.delete(f"keys/{ours}").status_code == 403
        assert http.delete(f"keys/{theirs}").status_code == 200
        Vault.objects.update(console_key="")
        assert http.delete(f"keys/{ours}").status_code == 403
        assert http.get("keys/").json() == [ours]


def test_a_whole_repository_cannot_be_deleted(device: Device) -> None:
    with device.client() as http:
        http.post("config", content=b"config")
        assert http.delete("").status_code == 403
        assert http.get("config").status_code == 200
    refused = Entry.objects.get(action="vault.repository_deletion_refused")
    assert refused.outcome == "refused"


def test_deleting_only_hides_and_the_same_can_be_stored_again(device: Device) -> None:
    with device.client() as http:
        name = put(http, "data", b"pack")
        assert http.delete(f"data/{name}").status_code == 200

        assert http.get(f"data/{name}").status_code == 404
        assert http.head(f"data/{name}").status_code == 404
        assert http.get("data/").json() == []
        assert http.delete(f"data/{name}").status_code == 404
        assert stored_path(device, "data", name).read_bytes() == b"pack"
        assert (Vault.objects.get().visible_bytes, Vault.objects.get().hidden_bytes) == (0, 4)

        put(http, "data", b"pack")
        assert http.get(f"data/{name}").content == b"pack"
    assert (Vault.objects.get().visible_bytes, Vault.objects.get().hidden_bytes) == (4, 0)
    marks = stored_path(device, "data", name).parents[3] / "marks" / "index"
    assert list(marks.iterdir()) == []


def test_locks_go_at_once(device: Device) -> None:
    with device.client() as http:
        name = put(http, "locks", b"lock")
        assert http.delete(f"locks/{name}").status_code == 200

    assert not stored_path(device, "locks", name).exists()
    assert not StoredObject.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "data/../config",
        "data/%2e%2e/config",
        "..%2f..%2fkey",
        "data/" + "0" * 63,
        "data/" + "0" * 65,
        "data/" + "A" * 64,
        "data/" + "0" * 64 + "/",
        "data/" + "0" * 64 + "%00",
        "data/" + "0" * 64 + "%0a",
        "marks/index/" + "0" * 64,
        "config/" + "0" * 64,
        "config/",
        "unknown/",
        "/../../../etc/passwd",
        "../../devices",
    ],
)
def test_tricks_in_names_lead_nowhere(device: Device, path: str) -> None:
    for method in ("GET", "HEAD", "DELETE", "POST"):
        assert raw_status(device, method, path, {"Content-Length": "0"}) == 404


@pytest.mark.parametrize(
    ("kind", "length", "status"),
    [
        ("config", 1 << 21, 413),
        ("keys", 1 << 21, 413),
        ("locks", 1 << 15, 413),
        ("snapshots", 1 << 25, 413),
        ("data", 1 << 40, 413),
    ],
)
def test_oversized_bodies_are_refused_before_they_are_read(
    device: Device, kind: str, length: int, status: int
) -> None:
    address = "config" if kind == "config" else f"{kind}/{'0' * 64}"
    # The body never comes: an answer shows that nobody waited for it.
    assert raw_status(device, "POST", address, {"Content-Length": str(length)}) == status


def test_a_body_must_announce_its_length(device: Device) -> None:
    with device.client() as http:
        assert http.post(f"data/{'0' * 64}", content=iter([b"x"])).status_code == 411


def test_nothing_can_be_written_while_a_vault_is_brought_back(device: Device) -> None:
    with device.client() as http:
        name = put(http, "snapshots", b"point")
        Vault.objects.update(bringing_back_to=timezone.now())

        assert http.get(f"snapshots/{name}").content == b"point"
        refused = http.delete(f"snapshots/{name}")
        assert http.post(f"data/{name_of(b'x')}", content=b"x").status_code == 503

    assert refused.status_code == 503
    assert "brought back" in refused.text
    assert StoredObject.objects.get(name=name).state == State.VISIBLE


def test_storage_that_fails_is_told_without_its_secrets(device: Device) -> None:
    with device.client() as http:
        name = put(http, "data", b"pack")
        location = device.vault.location
        location.settings["folder"] = "no/such/folder"
        location.save()

        answers = [http.get(f"data/{name}"), http.post(f"keys/{name_of(b'k')}", content=b"k")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all("folder" not in answer.text for answer in answers)


def test_a_request_with_an_odd_header_is_no_crash(device: Device) -> None:
    password = base64.b64encode(b"\xff\xfe:x").decode()
    header = {"Authorization": f"Basic {password}"}

    assert httpx.get(f"{device.url}keys/", headers=header).status_code == 401
