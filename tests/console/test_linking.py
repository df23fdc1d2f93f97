"""RFC 8628 and what it must not allow: the console's side of linking a device."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from backup_agent.services.link.assertion import encode_public_key
from console_ui.accounts import throttle
from console_ui.accounts.models import Role, ThrottleRow
from console_ui.audit.models import Entry
from console_ui.devices import limits
from console_ui.devices.models import AccessToken, Answer, Device, LinkRequest
from tests.console.linking import answer_request, confirm, error, type_code
from tests.console.people import Office
from tests.console.played_device import PlayedDevice, approve, link, only_request


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


def polled_ago(*, seconds: int) -> None:
    LinkRequest.objects.update(polled_at=timezone.now() - timedelta(seconds=seconds))
