"""RFC 8628 and what it must not allow: the console's side of linking a device."""

from __future__ import annotations

import base64
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from backup_agent.services.link.assertion import encode_public_key
from console_ui.accounts import throttle
from console_ui.accounts.models import Role, Scope, ThrottleRow
from console_ui.audit.models import Entry
from console_ui.devices import limits, managed_passwords, media_codes
from console_ui.devices.models import AccessToken, Answer, Device, Kind, LinkRequest, ReadGrant
from console_ui.devices.rights import Right, right_on
from console_ui.django_settings import console_settings
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.gateway.access import Rights, authorise
from console_ui.storage.gateway.messages import Refusal
from console_ui.storage.models import LocationKind, Vault
from tests.console.gateways import make_location, make_password
from tests.console.people import Office
from tests.console.played_device import PlayedDevice, approve, link, only_request

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Reply


def test_a_device_is_linked_by_a_code_that_a_person_types(owner: Client, office: Office) -> None:
    device = PlayedDevice()
    codes = device.codes()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert codes["verification_uri"] == "http://localhost:8470/link"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert error(device.poll(codes)) == "authorization_pending"

    page = type_code(owner, codes["user_code"].lower().replace("-", " "))
    for shown in ("ATELIER-01", "Debian 13", "127.0.0.1", only_request().short_key):
        assert shown in page
    answer_request(owner, approve="1", kind="backup")
    token = device.poll(codes).json()

    assert (token["token_type"], token["expires_in"]) == ("Bearer", 600)
    told = device.get("/api/v1/device", token["access_token"]).json()
    assert (told["name"], told["kind"]) == ("ATELIER-01", "backup")
    assert told["organisation"] == "Keller Fontana Architects"
    assert "ATELIER-01" in owner.get("/devices").content.decode()
    actions = list(Entry.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-2:] == ["device.approved", "device.linked"]


def test_whoever_polls_too_fast_must_wait_five_seconds_longer_each_time(office: Office) -> None:
    device = PlayedDevice()
    codes = device.codes()

    assert error(device.poll(codes)) == "authorization_pending"
    assert error(device.poll(codes)) == "slow_down"
    assert error(device.poll(codes)) == "slow_down"
    assert only_request().interval == 15
    polled_ago(seconds=14)
    assert error(device.poll(codes)) == "slow_down"
    polled_ago(seconds=21)
    assert error(device.poll(codes)) == "authorization_pending"


def test_another_devices_haste_slows_nobody_else_down(office: Office) -> None:
    hasty, calm = PlayedDevice(), PlayedDevice()
    hasty_codes, calm_codes = hasty.codes(), calm.codes()
    hasty.poll(hasty_codes)

    assert error(hasty.poll(hasty_codes)) == "slow_down"
    assert error(calm.poll(calm_codes)) == "authorization_pending"


def test_a_refused_device_is_told_so(owner: Client, office: Office) -> None:
    device = PlayedDevice()
    codes = device.codes()
    type_code(owner, codes["user_code"])

    answer_request(owner, refuse="1")

    assert error(device.poll(codes)) == "access_denied"
    assert Device.objects.count() == 0


@pytest.mark.parametrize("approved", [False, True])
def test_a_code_is_good_for_ten_minutes_even_when_it_was_approved(
    office: Office, approved: bool
) -> None:
    device = PlayedDevice()
    codes = device.codes()
    if approved:
        approve(codes, office)
    LinkRequest.objects.update(expires_at=timezone.now())

    assert error(device.poll(codes)) == "expired_token"
    assert Device.objects.count() == 0


def test_a_code_that_has_run_out_cannot_be_typed(owner: Client, office: Office) -> None:
    codes = PlayedDevice().codes()
    LinkRequest.objects.update(expires_at=timezone.now())

    answer = owner.post("/link", {"code": codes["user_code"]})

    assert answer.status_code == 403
    assert "No device waits with this code" in answer.content.decode()


def test_a_code_is_redeemed_once(office: Office) -> None:
    device = PlayedDevice()
    codes = device.codes()
    approve(codes, office)

    assert device.poll(codes).status_code == 200
    assert error(device.poll(codes)) == "invalid_grant"
    assert Device.objects.count() == 1
    assert AccessToken.objects.count() == 1


def test_a_key_that_was_approved_twice_is_linked_once(office: Office) -> None:
    device = PlayedDevice()
    both = [device.codes(), device.codes()]
    for codes in both:
        approve(codes, office)

    assert device.poll(both[0]).status_code == 200
    for _again in range(2):
        assert error(device.poll(both[1])) == "invalid_grant"

    assert Device.objects.count() == 1
    assert Entry.objects.filter(action="device.linked").count() == 1


def test_of_many_who_redeem_at_once_one_succeeds(transactional_db: None) -> None:
    from tests.console.people import make_office

    office = make_office("Keller Fontana Architects")
    device = PlayedDevice()
    codes = device.codes()
    approve(codes, office)

    def redeem(_number: int) -> int:
        try:
            return PlayedDevice(device.key).poll(codes).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(redeem, range(4)))

    assert statuses == [200, 400, 400, 400]
    assert Device.objects.count() == 1


def test_a_stolen_device_code_is_worth_nothing_without_the_key(office: Office) -> None:
    codes = PlayedDevice().codes()
    approve(codes, office)
    thief = PlayedDevice()

    answer = thief.poll(codes)

    assert (answer.status_code, error(answer)) == (401, "invalid_client")
    assert Device.objects.count() == 0


def test_a_proof_counts_once_for_this_console_and_for_a_minute(office: Office) -> None:
    device, _row, _token = link(office)
    proof = device.proof()

    assert device.renew(**proof).status_code == 200
    assert error(device.renew(**proof)) == "invalid_client"
    assert error(device.renew(**device.proof(audience="https://evil.example"))) == "invalid_client"
    for seconds in (-200, 200):
        late = device.proof(now=time.time() + seconds)
        assert error(device.renew(**late)) == "invalid_client"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "é"}, "invalid_client"),
        ({"client_assertion_type": "password"}, "invalid_client"),
        ({"client_id": "0" * 64}, "invalid_client"),
        ({"public_key": "AAAA"}, "invalid_request"),
        ({"public_key": "é"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_request_that_proves_nothing_gets_no_code(
    db: None, fields: dict[str, str], wanted: str
) -> None:
    answer = PlayedDevice().ask(**fields)

    assert error(answer) == wanted
    assert LinkRequest.objects.count() == 0


def test_a_request_with_another_ones_key_gets_no_code(db: None) -> None:
    victim = PlayedDevice()

    answer = PlayedDevice().ask(
        public_key=encode_public_key(victim.key.public_key), client_id=victim.client_id
    )

    assert error(answer) == "invalid_client"


def test_an_unknown_grant_and_a_missing_code_are_named(db: None) -> None:
    device = PlayedDevice()

    assert error(device.http.post("/oauth/token", {})) == "invalid_request"
    other = device.http.post("/oauth/token", {"grant_type": "password"})
    assert error(other) == "unsupported_grant_type"
    assert error(device.poll({"device_code": ""})) == "invalid_request"
    assert error(device.poll({"device_code": "guess"})) == "invalid_grant"
    assert device.http.get("/oauth/token").status_code == 405


def test_device_names_cannot_steer_what_people_see(owner: Client, office: Office) -> None:
    codes = PlayedDevice().codes(device_name="PC\r\n\x1b[2J<img>\u202ecod" + "x" * 500)

    page = type_code(owner, codes["user_code"])

    name = only_request().name
    assert len(name) <= 100
    assert name.isprintable()
    assert "<img>" not in page


def test_guessing_codes_is_slowed_down_for_the_person_and_for_the_address(
    client: Client, office: Office
) -> None:
    codes = PlayedDevice().codes()
    client.force_login(office.operator)
    for _attempt in range(5):
        assert client.post("/link", {"code": "BBBB-BBBB"}).status_code == 403

    blocked = client.post("/link", {"code": codes["user_code"]})

    assert "Too many attempts" in blocked.content.decode()
    client.post("/link", {"code": codes["user_code"]})
    refused = Entry.objects.filter(action="device_code.refused").order_by("pk")
    assert {entry.actor_name for entry in refused} == {office.operator.email}
    assert [entry.details["why"] for entry in refused] == ["code", "throttled"]
    ThrottleRow.objects.update(blocked_until=None, window_ends_at=timezone.now())
    assert client.post("/link", {"code": codes["user_code"]}).status_code == 302


def test_right_codes_do_not_buy_guesses_from_one_address(client: Client, office: Office) -> None:
    codes = PlayedDevice().codes()
    guesses = 0
    for role in (Role.OWNER, Role.ADMIN, Role.OPERATOR) * 4:
        member = office.member(role)
        client.force_login(member)
        throttle.succeeded(limits.CODE_ENTRY, str(member.pk))
        for _attempt in range(3):
            guesses += client.post("/link", {"code": codes["user_code"]}).status_code == 302

    assert guesses == 30


def test_a_viewer_links_nothing(client: Client, office: Office) -> None:
    client.force_login(office.viewer)
    confirm(client)

    assert client.get("/link").status_code == 403
    assert client.get("/link/answer").status_code == 403
    assert client.get("/media").status_code == 403


def test_who_has_not_typed_the_code_cannot_answer(owner: Client, office: Office) -> None:
    PlayedDevice().codes()
    confirm(owner)

    answer = owner.post("/link/answer", {"approve": "1", "kind": "backup"})

    assert answer.headers["Location"] == "/link"
    assert only_request().answer == Answer.WAITING


def test_an_approval_from_another_site_is_refused(office: Office) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(office.owner)
    codes = PlayedDevice().codes()

    for path, fields in (
        ("/link", {"code": codes["user_code"]}),
        ("/link/answer", {"approve": "1"}),
        ("/media", {}),
    ):
        assert strict.post(path, fields).status_code == 403
    assert only_request().answer == Answer.WAITING


def test_who_logged_in_long_ago_proves_themselves_before_they_approve(
    owner: Client, office: Office
) -> None:
    codes = PlayedDevice().codes()
    owner.post("/link", {"code": codes["user_code"]})

    answer = owner.get("/link/answer")

    assert answer.headers["Location"].startswith("/confirm?next=/link/answer")


def test_restore_only_reads_the_chosen_vaults_for_a_day_and_nothing_else(
    owner: Client, office: Office, other_office: Office
) -> None:
    _, chosen, _ = link(office, name="PLAN-SERVER")
    _, not_chosen, _ = link(office, name="RECEPTION")
    _, foreign, _ = link(other_office, name="FOREIGN")
    rescue = PlayedDevice()
    codes = rescue.codes(scope="restore")
    page = type_code(owner, codes["user_code"])
    assert "PLAN-SERVER" in page
    assert "FOREIGN" not in page

    answer_request(
        owner, approve="1", kind="restore", source=[str(chosen.pk), str(foreign.pk), "x"]
    )
    assert rescue.poll(codes).status_code == 200

    device = Device.objects.get(client_id=rescue.client_id)
    assert right_on(device, chosen.pk) is Right.READ
    assert right_on(device, not_chosen.pk) is Right.NONE
    assert right_on(device, foreign.pk) is Right.NONE
    assert right_on(device, device.pk) is Right.NONE
    assert right_on(device, None) is Right.NONE
    assert device.expires_at is not None
    assert device.expires_at - device.linked_at <= timedelta(hours=24)
    ReadGrant.objects.update(expires_at=timezone.now())
    assert right_on(device, chosen.pk) is Right.NONE
    Device.objects.filter(pk=device.pk).update(expires_at=timezone.now())
    assert error(rescue.renew()) == "access_denied"


def test_a_device_that_backs_up_has_its_own_vault(office: Office) -> None:
    _, device, _ = link(office)
    _, other, _ = link(office)

    assert right_on(device, device.pk) is Right.OWN
    assert right_on(device, other.pk) is Right.NONE


def test_removal_works_with_the_next_request(owner: Client, office: Office) -> None:
    played, device, token = link(office)
    assert played.get("/api/v1/device", token).status_code == 200
    confirm(owner)

    owner.post(f"/devices/{device.pk}/remove")

    refused = played.get("/api/v1/device", token)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert error(played.renew()) == "access_denied"
    assert "ATELIER-01" not in re.sub(
        r'role="status".*?</div>\n', "", page_of(owner, "/devices"), flags=re.DOTALL
    )
    assert Entry.objects.filter(action="device.removed", about="ATELIER-01").exists()


def test_a_device_can_remove_itself_and_its_key_is_never_linked_again(office: Office) -> None:
    played, _device, token = link(office)

    answer = played.http.delete("/api/v1/device", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
    assert played.get("/api/v1/device", token).status_code == 401
    assert error(played.ask()) == "invalid_request"


def test_an_access_token_ends_after_ten_minutes(office: Office) -> None:
    played, _device, token = link(office)
    left = AccessToken.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)

    AccessToken.objects.update(expires_at=timezone.now())

    assert played.get("/api/v1/device", token).status_code == 401
    fresh = played.renew().json()["access_token"]
    assert played.get("/api/v1/device", fresh).status_code == 200


def test_devices_are_renamed_by_operators(client: Client, office: Office) -> None:
    _, device, _ = link(office)
    client.force_login(office.viewer)
    assert client.post(f"/devices/{device.pk}/rename", {"name": "x"}).status_code == 403

    client.force_login(office.operator)
    client.post(f"/devices/{device.pk}/rename", {"name": " Till's  PC "})

    device.refresh_from_db()
    assert device.name == "Till's PC"
    assert Entry.objects.get(action="device.renamed").details == {"before": "ATELIER-01"}


@pytest.mark.parametrize("what", ["rename", "remove"])
def test_another_organisations_device_does_not_exist(
    owner: Client, office: Office, other_office: Office, what: str
) -> None:
    _, foreign, _ = link(other_office)
    confirm(owner)

    answer = owner.post(f"/devices/{foreign.pk}/{what}", {"name": "mine"})

    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert (foreign.name, foreign.revoked_at) == ("ATELIER-01", None)


def test_the_database_alone_gives_no_code_token_or_password(office: Office) -> None:
    _, device, token = link(office)
    managed_passwords.keep(device, "kept for you", address="", now=timezone.now())
    codes = PlayedDevice().codes()
    media_code = media_codes.make(office.organisation, by=office.owner, now=timezone.now())

    rows = ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            rows += repr(
                [
                    tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                    for row in cursor.fetchall()
                ]
            )

    for secret in (
        codes["user_code"],
        codes["device_code"],
        token,
        "kept for you",
        media_code,
    ):
        assert secret not in rows


def test_a_media_code_leads_the_request_to_its_people_and_grants_nothing(
    owner: Client, client: Client, office: Office, other_office: Office
) -> None:
    page = owner.post("/media").content.decode()
    found = re.search(r"[A-Z]{2}[0-9]{2}(?:-[A-Z]{2}[0-9]{2}){2}", page)
    assert found is not None
    rescue = PlayedDevice()

    codes = rescue.codes(scope="restore", media_code=found[0].lower().replace("-", ""))

    assert "asks to be linked" in page_of(owner, "/devices")
    assert codes["user_code"] not in page_of(owner, "/devices")
    assert error(rescue.poll(codes)) == "authorization_pending"
    stranger = Client()
    stranger.force_login(other_office.owner)
    assert "asks to be linked" not in page_of(stranger, "/devices")
    assert stranger.post("/link", {"code": codes["user_code"]}).status_code == 403
    assert "ATELIER-01" in type_code(owner, codes["user_code"])


@pytest.mark.parametrize("typed", ["AA22-BB33-CC44", "", "rubbish"])
def test_media_without_a_good_code_still_work(office: Office, typed: str) -> None:
    codes = PlayedDevice().codes(media_code=typed)

    assert only_request().organisation is None
    approve(codes, office)


def test_a_media_code_ends_after_seven_days(office: Office) -> None:
    now = timezone.now()
    code = media_codes.make(office.organisation, by=office.owner, now=now)

    almost = now + timedelta(days=7) - timedelta(seconds=1)
    assert media_codes.resolve(code, now=almost) == office.organisation
    assert media_codes.resolve(code, now=now + timedelta(days=7)) is None


def test_a_program_lists_devices_with_a_password_that_opens_the_api(
    office: Office, other_office: Office
) -> None:
    link(office, name="ATELIER-01")
    link(other_office, name="FOREIGN")
    opens_api = make_password(office.owner, office.organisation, Scope.API)
    opens_storage = make_password(office.owner, office.organisation, Scope.STORAGE)

    found = basic(office.owner.email, opens_api)

    assert [each["name"] for each in found.json()["devices"]] == ["ATELIER-01"]
    assert basic(office.owner.email, opens_storage).status_code == 401
    assert basic(other_office.owner.email, opens_api).status_code == 401
    assert Client().get("/api/v1/devices").status_code == 401


def test_a_device_whose_organisation_has_no_storage_has_no_vault_yet(office: Office) -> None:
    played, _, token = link(office)

    assert played.get("/api/v1/device/vaults", token).json() == {"vaults": []}


def test_a_device_gets_one_vault_of_its_own_however_often_it_asks(
    office: Office, other_office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, device, token = link(office)
    rescue, _, rescue_token = link(office, kind=Kind.RESTORE, sources=(device,))
    stranger, _, stranger_token = link(other_office, kind=Kind.RESTORE)

    first, again = (played.get("/api/v1/device/vaults", token).json() for _ in range(2))

    assert first == again
    assert [(each["name"], each["right"]) for each in first["vaults"]] == [("ATELIER-01", "own")]
    seen = rescue.get("/api/v1/device/vaults", rescue_token).json()["vaults"]
    assert [each["right"] for each in seen] == ["read"]
    assert stranger.get("/api/v1/device/vaults", stranger_token).json() == {"vaults": []}
    vault = Vault.objects.get()
    rights_in = LinkedDevices().rights_in
    rights = {token: Rights.WRITE, rescue_token: Rights.READ, stranger_token: Rights.NONE}
    for known, wanted in rights.items():
        found = rights_in(vault, known, address="")
        assert found is not None
        assert found[0] is wanted
    assert rights_in(vault, "no token", address="") is None


def test_to_a_device_a_vault_that_it_may_not_read_looks_like_none(
    office: Office, other_office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, _, token = link(office)
    _, _, neighbour_token = link(office, kind=Kind.RESTORE)
    _, _, stranger_token = link(other_office, kind=Kind.RESTORE)
    (vault,) = played.get("/api/v1/device/vaults", token).json()["vaults"]

    for vault_id in (uuid.UUID(vault["id"]), uuid.uuid4()):
        for known, wanted in ((neighbour_token, 404), (stranger_token, 404), ("no token", 401)):
            with pytest.raises(Refusal) as refusal:
                authorise(f"Bearer {known}", vault_id, address="", tokens=LinkedDevices())
            assert refusal.value.answer.status == wanted


def test_reading_another_devices_vault_is_in_the_audit_log_once_a_day(
    office: Office, tmp_path: Path
) -> None:
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    make_location(office.organisation, LocationKind.FOLDER, fields)
    played, device, token = link(office)
    _, reader, reader_token = link(office, kind=Kind.RESTORE, sources=(device,), name="Rescue")
    played.get("/api/v1/device/vaults", token)
    vault = Vault.objects.get()
    rights_in = LinkedDevices().rights_in

    for known in (token, reader_token, reader_token):
        assert rights_in(vault, known, address="203.0.113.9") is not None

    entry = Entry.objects.get(action="vault.read")
    assert (entry.actor_name, entry.about) == (reader.name, vault.name)
    ReadGrant.objects.update(read_noted_at=timezone.now() - timedelta(days=1))
    rights_in(vault, reader_token, address="203.0.113.9")
    assert Entry.objects.filter(action="vault.read").count() == 2


def test_the_address_on_rescue_media_survives_the_login(client: Client, office: Office) -> None:
    door = client.get("/ui/").content.decode()
    assert 'data-door="agentRegistration"' in door
    login = client.get("/link").headers["Location"]
    assert login == "/?next=/link"


def error(answer: Reply) -> str:
    assert answer.status_code in (400, 401), answer.content
    return str(answer.json()["error"])


def basic(login: str, password: str) -> Reply:
    credentials = base64.b64encode(f"{login}:{password}".encode()).decode()
    return Client().get("/api/v1/devices", headers={"Authorization": f"Basic {credentials}"})


def polled_ago(*, seconds: int) -> None:
    LinkRequest.objects.update(polled_at=timezone.now() - timedelta(seconds=seconds))


def type_code(browser: Client, code: str) -> str:
    """Type it and get the page that shows what asks."""
    answer = browser.post("/link", {"code": code})
    assert answer.headers["Location"] == "/link/answer"
    confirm(browser)
    return page_of(browser, "/link/answer")


def answer_request(browser: Client, **fields: str | list[str]) -> None:
    answer = browser.post("/link/answer", fields)
    assert answer.headers["Location"] == "/devices"


def confirm(browser: Client) -> None:
    session = browser.session
    session["confirmed_at"] = time.time()
    session.save()


def page_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()
