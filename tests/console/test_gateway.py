"""The gateway's rules, request by request."""

from __future__ import annotations

import base64
import hashlib
import uuid
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.core import mail as django_mail
from django.utils import timezone

from console_ui.accounts.application_passwords import revoke
from console_ui.accounts.models import ApplicationPassword, Role, Scope, User
from console_ui.accounts.request import person
from console_ui.audit.models import Entry
from console_ui.storage import alarms, quota
from console_ui.storage.gateway import writing
from console_ui.storage.gateway.access import Rights
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault
from console_ui.web import mail
from tests.console.gateways import Device, let_days_pass, make_password
from tests.console.people import PASSWORD, enrol, make_member, make_office

_V2 = {"Accept": "application/vnd.x.restic.rest.v2"}


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


def test_nobody_gets_in_without_the_right_application_password(device: Device) -> None:
    def status(login: str, password: str) -> int:
        return httpx.get(f"{device.url}keys/", auth=(login, password)).status_code

    enrol(User.objects.get(login_id=device.login))
    assert httpx.get(f"{device.url}keys/").status_code == 401
    assert status(device.login, "wrong") == 401
    assert status(device.login, PASSWORD) == 401
    assert status("SBA-0000-ADMIN", device.password) == 401
    assert status(device.login, device.password) == 200
    token = {"Authorization": "Bearer anything"}
    assert httpx.get(f"{device.url}keys/", headers=token).status_code == 401
    broken = {"Authorization": "Basic \x7f\x7f"}
    assert httpx.get(f"{device.url}keys/", headers=broken).status_code == 401

    revoke(ApplicationPassword.objects.all())
    assert status(device.login, device.password) == 401


def test_the_devices_id_is_a_login_for_its_vault_alone(device: Device) -> None:
    device_id = uuid.uuid4()
    Vault.objects.update(device_id=device_id)

    def status(login: str) -> int:
        return httpx.get(f"{device.url}keys/", auth=(login, device.password)).status_code

    assert status(str(device_id)) == 200
    assert status(str(uuid.uuid4())) == 401


def test_another_organisations_vault_looks_like_none(device: Device) -> None:
    other = make_office("Other & Co")
    password = make_password(other.owner, other.organisation)
    login = (other.owner.login_id, password)

    foreign = httpx.get(f"{device.url}keys/", auth=login)
    absent = httpx.get(f"{device.gateway}/storage/{uuid.uuid4()}/keys/", auth=login)

    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.content == absent.content


def test_a_password_for_reading_reads_and_locks_and_changes_nothing_else(device: Device) -> None:
    with device.client() as http:
        name = put(http, "snapshots", b"point")
    organisation = device.vault.organisation
    member = make_member(organisation, Role.OPERATOR, "reader@keller.example")
    password = make_password(member, organisation, Scope.STORAGE_READ)
    with httpx.Client(base_url=device.url, auth=(member.login_id, password)) as http:
        assert http.get(f"snapshots/{name}").content == b"point"
        lock = put(http, "locks", b"lock")
        assert http.delete(f"locks/{lock}").status_code == 200
        assert http.post(f"data/{name_of(b'x')}", content=b"x").status_code == 403
        assert http.delete(f"snapshots/{name}").status_code == 403
        assert http.post("", params={"create": "true"}).status_code == 403


def test_a_password_for_reading_cannot_fill_a_vault_with_locks(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(writing._MOST_LOCKS, Rights.READ, 3)
    member = make_member(device.vault.organisation, Role.OPERATOR, "reader@keller.example")
    password = make_password(member, device.vault.organisation, Scope.STORAGE_READ)
    with httpx.Client(base_url=device.url, auth=(member.login_id, password)) as reader:
        locks = [put(reader, "locks", bytes([n])) for n in range(3)]
        refused = reader.post(f"locks/{name_of(b'x')}", content=b"x")
        with device.client() as owner:
            put(owner, "locks", b"a place for who backs up")
        assert reader.post(f"locks/{locks[0]}", content=bytes([0])).status_code == 507
        reader.delete(f"locks/{locks[0]}").raise_for_status()
        reader.delete(f"locks/{locks[1]}").raise_for_status()
        put(reader, "locks", b"x")

    assert refused.status_code == 507
    assert "locks" in refused.text


def test_a_viewers_application_password_opens_no_backups(device: Device) -> None:
    organisation = device.vault.organisation
    member = make_member(organisation, Role.VIEWER, "looker@keller.example")
    password = make_password(member, organisation)

    answer = httpx.get(f"{device.url}keys/", auth=(member.login_id, password))

    assert answer.status_code == 403


def test_guessing_passwords_is_slowed_down(device: Device) -> None:
    statuses = [
        httpx.get(f"{device.url}keys/", auth=(device.login, f"guess {n}")).status_code
        for n in range(120)
    ]

    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_a_full_vault_says_so(device: Device) -> None:
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        put(http, "data", bytes(900))
        full = http.post(f"data/{name_of(bytes(101))}", content=bytes(101))
        snapshot = http.post(f"snapshots/{name_of(bytes(102))}", content=bytes(102))

        assert (full.status_code, snapshot.status_code) == (507, 507)
        assert "full" in full.text
        put(http, "locks", bytes(140))


def test_a_prune_may_exceed_the_quota_by_five_percent(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "_STEP_BYTES", 0)
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        put(http, "data", bytes(990))
        lock = put(http, "locks", b"")
        assert http.post(f"data/{name_of(bytes(40))}", content=bytes(40)).status_code == 507

        http.get("data/")  # as only somebody does who prunes
        put(http, "data", bytes(40))
        put(http, "index", bytes(15))
        full = http.post(f"data/{name_of(bytes(41))}", content=bytes(41))
        assert full.status_code == 507
        assert "restic prune --max-repack-size 48M" in full.text
        assert http.post(f"snapshots/{name_of(b'p')}", content=b"p").status_code == 507

        http.delete(f"locks/{lock}")
        assert http.post(f"index/{name_of(b'i')}", content=b"i").status_code == 507


def test_what_is_hidden_and_what_is_not_have_a_limit_together(device: Device) -> None:
    Vault.objects.update(quota_bytes=100)
    with device.client() as http:
        for byte in (b"a", b"b", b"c"):
            http.delete(f"data/{put(http, 'data', byte * 60)}")

        answer = http.post(f"data/{name_of(b'd' * 21)}", content=b"d" * 21)
        put(http, "data", b"d" * 20)

    assert answer.status_code == 507
    assert "deleted bytes" in answer.text


def test_a_vault_that_hides_more_than_its_quota_can_still_be_pruned(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "_STEP_BYTES", 0)
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        for byte in (b"a", b"b"):
            http.delete(f"data/{put(http, 'data', byte * 600)}")
        put(http, "data", b"c" * 800)  # 2000 bytes in all: no more may come
        assert Vault.objects.get().hidden_bytes == 1200
        assert http.post(f"data/{name_of(b'd')}", content=b"d").status_code == 507

        lock = put(http, "locks", b"lock")
        http.get("data/")
        put(http, "data", b"d" * 60)
        put(http, "index", b"i" * 36)
        assert http.post(f"index/{name_of(b'j')}", content=b"j").status_code == 507
        assert http.delete(f"locks/{lock}").status_code == 200


def test_a_lock_finds_room_in_the_fullest_vault(device: Device) -> None:
    Vault.objects.update(quota_bytes=100)
    with device.client() as http:
        put(http, "locks", b"first")
        http.get("data/")
        put(http, "data", bytes(100))

        put(http, "locks", b"second")


def alarms_of(device: Device) -> list[str]:
    return list(Alarm.objects.filter(vault=device.vault).values_list("reason", flat=True))


def test_deleting_more_than_a_fifth_of_the_restore_points_alerts_every_administrator(
    device: Device,
) -> None:
    with device.client() as http:
        points = [put(http, "snapshots", bytes([n])) for n in range(10)]
        let_days_pass(device.vault)
        for point in points[:2]:
            http.delete(f"snapshots/{point}")
        assert alarms_of(device) == []

        http.delete(f"snapshots/{points[2]}")
        http.delete(f"snapshots/{points[3]}")

    assert alarms_of(device) == [Reason.MANY_POINTS]
    mail.wait_until_sent()
    told = {recipient for message in django_mail.outbox for recipient in message.to}
    assert told == {"owner@keller.example", "admin@keller.example"}
    assert len(django_mail.outbox) == 2
    assert f"/vaults/{device.vault.pk}" in django_mail.outbox[0].body


def test_deleting_much_data_or_any_key_raises_an_alarm(device: Device) -> None:
    with device.client() as http:
        packs = [put(http, "data", bytes([n]) * 100) for n in range(10)]
        keys = [put(http, "keys", key) for key in (b"left", b"gone")]
        let_days_pass(device.vault)
        for pack in packs[:3]:
            http.delete(f"data/{pack}")
        assert alarms_of(device) == [Reason.MUCH_DATA]

        (alarm,) = Alarm.objects.all()
        user = make_member(device.vault.organisation, Role.ADMIN, "a@keller.example")
        alarms.confirm(alarm, user, by=person(user), now=timezone.now())
        http.delete(f"keys/{keys[1]}")

    assert alarms_of(device) == [Reason.KEY, Reason.MUCH_DATA]


def test_restore_points_that_the_retention_keeps_are_missed_at_once(device: Device) -> None:
    Vault.objects.update(keep_last=9)
    with device.client() as http:
        points = [put(http, "snapshots", bytes([n])) for n in range(10)]
        let_days_pass(device.vault)
        http.delete(f"snapshots/{points[0]}")
        assert alarms_of(device) == []

        http.delete(f"snapshots/{points[1]}")

    assert alarms_of(device) == [Reason.RETENTION]


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
