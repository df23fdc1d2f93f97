"""What a linked device may do, and when that ends."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import Scope
from console_ui.audit.models import Entry
from console_ui.devices import managed_passwords, media_codes
from console_ui.devices.models import AccessToken, Device, ReadGrant
from console_ui.devices.rights import Right, right_on
from tests.console.gateways import make_password
from tests.console.linking import answer_request, confirm, error, page_of, type_code
from tests.console.people import Office
from tests.console.played_device import PlayedDevice, link

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Reply


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


def basic(login: str, password: str) -> Reply:
    credentials = base64.b64encode(f"{login}:{password}".encode()).decode()
    return Client().get("/api/v1/devices", headers={"Authorization": f"Basic {credentials}"})
