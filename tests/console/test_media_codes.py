"""Codes that come with rescue media: they lead a request to its people and grant nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console_ui.devices import media_codes
from tests.console.linking import error, page_of, type_code
from tests.console.people import Office
from tests.console.played_device import PlayedDevice, approve, only_request


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


def test_the_address_on_rescue_media_survives_the_login(client: Client, office: Office) -> None:
    door = client.get("/ui/").content.decode()
    assert 'data-door="agentRegistration"' in door
    login = client.get("/link").headers["Location"]
    assert login == "/?next=/link"
