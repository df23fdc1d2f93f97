"""Secrets are looked for everywhere but where they belong, after everything was done with them;
and a database without its key file opens none of them.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from backup_agent.errors import IntegrityError
from backup_agent.services.vault import FileKind
from console_ui.accounts import totp
from console_ui.accounts.models import SessionRow
from console_ui.accounts.sessions import SessionStore
from console_ui.audit.models import Entry
from console_ui.devices import linking, managed_passwords, media_codes
from console_ui.devices.models import Device, Kind
from console_ui.keyfile import MasterKey
from console_ui.sealing import derive
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.locations import place_of
from console_ui.storage.models import Location, LocationKind, Vault
from console_ui.web import mail
from tests.console.gateways import Device as StockClient
from tests.console.gateways import make_location, running_gateway, store_object
from tests.console.people import PASSWORD, Office, enrol, fresh_code, log_in
from tests.console.played_device import PlayedDevice, link

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

STORAGE_SECRET = "a-very-secret-storage-key"
MANAGED = "the password of a repository"
NEW_PASSWORD = "several words of mine"


@dataclass
class Story:
    """What was secret while it was told, and every address that was asked or answered with."""

    secrets: dict[str, str] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)

    def remember(self, **secrets: str) -> None:
        assert all(len(secret) >= 6 for secret in secrets.values()), secrets
        self.secrets |= secrets


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    """Listens to every request of Django's and of httpx' clients."""
    told = Story()
    ask, send = Client.request, httpx.Client.send

    def asked(client: Client, **request: Any) -> Any:
        answer = ask(client, **request)
        told.addresses.append(f"{request['PATH_INFO']}?{request.get('QUERY_STRING', '')}")
        told.addresses.append(answer.headers.get("Location", ""))
        return answer

    def sent(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = send(client, request, **options)
        told.addresses += [str(request.url), answer.headers.get("Location", "")]
        return answer

    monkeypatch.setattr(Client, "request", asked)
    monkeypatch.setattr(httpx.Client, "send", sent)
    return told


def test_no_secret_lies_in_logs_addresses_mails_or_the_database(
    device: StockClient, story: Story, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    office = Office(
        device.vault.organisation,
        *(
            device.vault.organisation.memberships.get(role=role).user
            for role in ("owner", "admin", "operator", "viewer")
        ),
    )
    browser = Client()
    by_people(story, browser, office)
    by_storage(story, browser)
    token = by_devices(story, browser, office)
    with running_gateway(tmp_path, tokens=LinkedDevices()) as gateway:
        by_programs(story, browser, device.at(gateway), token)
    mail.wait_until_sent()

    assert len(Entry.objects.all()) > 20
    assert len(django_mail.outbox) > 3
    places = {
        "a log": caplog.text,
        "an address": "\n".join(story.addresses),
        "a mail": "\n".join(f"{each.subject}\n{each.body}" for each in django_mail.outbox),
        "an audit entry": repr(list(Entry.objects.values())),
        "the database": "\n".join(cells()),
    }
    found = {
        f"{name} in {place}"
        for place, text in places.items()
        for name, secret in story.secrets.items()
        if any(form in text for form in forms_of(secret))
    }
    # A mail is how that one travels; that it is found shows that the search finds.
    assert found == {"mailed token in a mail"}
    for place in ("a mail", "an audit entry", "the database"):
        assert office.owner.login_id in places[place] or office.owner.email in places[place]
    assert "/oauth/token?" in story.addresses
    assert f"{gateway}/storage/{device.vault.pk}/config" in story.addresses
    assert "storage" in caplog.text


def by_people(story: Story, browser: Client, office: Office) -> None:
    """Log in by every factor, renew codes, and get back in after a password was forgotten."""
    owner = office.owner
    seed = enrol(owner)
    story.remember(
        password=PASSWORD, seed=totp.secret_text(seed).replace(" ", ""), seed_in_hex=seed.hex()
    )
    story.remember(
        wrong_password="a wrong password of hers", typed_as_name="typed-into-wrong-field"
    )
    log_in(browser, story.secrets["typed_as_name"])
    log_in(browser, owner.email, story.secrets["wrong_password"])
    log_in(browser, owner.email)
    browser.post("/login/code", {"code": fresh_code(seed), "trust": "yes"})
    story.remember(
        session=browser.cookies["everboot-session"].value,
        trust=next(v.value for k, v in browser.cookies.items() if "trust" in k),
    )
    browser.post("/2fa/codes/renew")
    page = browser.get("/2fa/codes").content.decode()
    codes = re.findall(r'class="nw">([0-9A-Z-]{19})<', page)
    assert len(codes) == 10
    story.remember(**{f"recovery_code_{n}": code for n, code in enumerate(codes)})
    asked = re.search(r"Type number (\d+)", page)
    assert asked is not None
    kept = browser.post("/2fa/codes", {"code": codes[int(asked[1]) - 1]})
    assert kept.status_code == 302
    other = Client()
    log_in(other, owner.email)
    assert other.post("/login/recovery", {"code": codes[1]}).status_code == 302
    Client().post("/password/forgotten", {"name": office.viewer.email})
    mail.wait_until_sent()
    token = re.search(r"#([\w-]{43})", str(django_mail.outbox[-1].body))
    assert token is not None
    story.remember(**{"mailed token": token[1], "new_password": NEW_PASSWORD})
    new = {"token": token[1], "password": NEW_PASSWORD}
    assert Client().post("/password/new", new).headers["Location"] == "/"


def by_storage(story: Story, browser: Client) -> None:
    """Add locations whose servers cannot be reached, which tells of errors, too."""
    common = {"name": "S3", "endpoint": "http://127.0.0.1:1", "bucket": "b", "access_key": "AKID"}
    story.remember(storage_secret=STORAGE_SECRET)
    confirm(browser)
    browser.post("/locations/add/s3", {**common, "secret_key": STORAGE_SECRET})
    dav = {"name": "Dav", "url": "http://127.0.0.1:1/", "username": "till"}
    browser.post("/locations/add/webdav", {**dav, "password": STORAGE_SECRET})
    assert Location.objects.count() == 3
    browser.post(f"/locations/{Location.objects.get(name='S3').pk}/test")


def by_devices(story: Story, browser: Client, office: Office) -> str:
    """Link one by media code and device code, keep, fetch and guess; an access token."""
    confirm(browser)
    page = browser.post("/media").content.decode()
    media_code = re.search(r"[A-Z]{2}[0-9]{2}(?:-[A-Z]{2}[0-9]{2}){2}", page)
    assert media_code is not None
    played = PlayedDevice()
    codes = played.codes(media_code=media_code[0])
    browser.post("/link", {"code": "BBBB-BBBB"})
    browser.post("/link", {"code": codes["user_code"]})
    played.poll(codes)
    browser.get("/link/answer")
    browser.post("/link/answer", {"approve": "1", "kind": "backup"})
    played.poll({"device_code": "a-guessed-device-code"})
    token = played.poll(codes).json()["access_token"]
    renewed = played.renew().json()["access_token"]
    bearer = {"Authorization": f"Bearer {renewed}"}
    (entry,) = played.get("/api/v1/device/vaults", renewed).json()["vaults"]
    own = Vault.objects.get(pk=entry["id"])
    key = store_object(own, FileKind.KEY, b"opened by the console", at=timezone.now())
    body = {"password": MANAGED, "key": key.name}
    address = "/api/v1/device/managed-password"
    kept = played.http.put(address, body, content_type="application/json", headers=bearer)
    assert kept.status_code == 200
    source = Device.objects.get(client_id=played.client_id)
    rescue, _, reading = link(office, kind=Kind.RESTORE, sources=(source,), name="RESCUE")
    fetched = rescue.get(f"/api/v1/devices/{source.pk}/managed-password", reading)
    assert fetched.json() == {"password": MANAGED}
    story.remember(
        media_code=media_code[0],
        user_code=codes["user_code"],
        device_code=codes["device_code"],
        guessed_device_code="a-guessed-device-code",
        access_token=token,
        renewed_token=renewed,
        reading_token=reading,
        managed_password=MANAGED,
        device_key=played.key.secret.hex(),
    )
    return str(renewed)


def by_programs(story: Story, browser: Client, stock: StockClient, token: str) -> None:
    """The gateway and the API, with right and wrong passwords and tokens."""
    confirm(browser)
    form = {"name": "script", "scope": "api", "days": "0"}
    page = browser.post("/account/application-passwords/make", form).content.decode()
    made = re.search(r'id="password">([0-9A-Z-]+)<', page)
    assert made is not None
    story.remember(application_password=stock.password, made_on_page=made[1])
    story.remember(wrong_application_password="WRONG-APPLICATION-PASSWORD")
    basic = base64.b64encode(f"{stock.login}:{made[1]}".encode()).decode()
    story.remember(basic_credentials=basic)
    api = browser.get("/api/v1/devices", headers={"Authorization": f"Basic {basic}"})
    assert api.status_code == 200
    wrong = story.secrets["wrong_application_password"]
    for auth in ((stock.login, stock.password), (stock.login, wrong)):
        with httpx.Client(base_url=stock.url, auth=auth) as http:
            http.post("?create=true")
            http.post("config", content=b"config")
            http.post(f"data/{'0' * 64}", content=b"not its name")
            http.get("keys/")
            http.get(f"keys/{'0' * 64}")
            http.delete(f"snapshots/{'0' * 64}")
    for bearer in (token, f"{token}x"):
        headers = {"Authorization": f"Bearer {bearer}"}
        assert httpx.get(f"{stock.url}keys/", headers=headers).status_code in {401, 404}


def test_a_stolen_database_without_the_key_file_opens_no_secret(
    office: Office, settings: Settings
) -> None:
    played, source, token = link(office)
    assert played.get("/api/v1/device", token).status_code == 200
    now = timezone.now()
    managed_passwords.keep(source, MANAGED, address="", now=now)
    fields = {"endpoint": "http://127.0.0.1:1", "bucket": "b", "access_key": "AKID"}
    location = make_location(
        office.organisation, LocationKind.S3, {**fields, "secret_key": STORAGE_SECRET}
    )
    seed = enrol(office.owner)
    codes = PlayedDevice().codes()
    media_code = media_codes.make(office.organisation, by=office.owner, now=now)
    assert linking.find(codes["user_code"], office.organisation, now=now) is not None
    assert media_codes.resolve(media_code, now=now) == office.organisation

    thiefs = MasterKey(b"\x07" * 32)
    settings.EVERBOOT_SEALING_KEY = derive(thiefs, "sealing")
    settings.EVERBOOT_HASHING_KEY = derive(thiefs, "hashing")

    for opens in (
        lambda: managed_passwords.fetch(source, source, address=""),
        lambda: place_of(Location.objects.get(pk=location.pk)),
        lambda: totp.accept(office.owner, fresh_code(seed), now=time.time()),
    ):
        with pytest.raises(IntegrityError, match="key file"):
            opens()
    # Short codes are hashed under the key: trying them all out tells nothing.
    assert linking.find(codes["user_code"], office.organisation, now=now) is None
    assert media_codes.resolve(media_code, now=now) is None


def test_guessing_device_codes_is_slowed_down_from_where_it_comes(office: Office) -> None:
    codes = PlayedDevice().codes()
    guesser = PlayedDevice(http=Client(REMOTE_ADDR="2001:db8:1:2::1"))
    answers = [guesser.poll({"device_code": f"guess {n}"}).status_code for n in range(62)]

    assert answers == [400] * 60 + [429] * 2
    neighbour = PlayedDevice(guesser.key, Client(REMOTE_ADDR="2001:db8:1:2::2"))
    assert neighbour.poll({"device_code": "guess"}).status_code == 429
    # A stolen code is no better, and others are not held up.
    assert guesser.poll(codes).status_code == 429
    assert PlayedDevice().poll(codes).json()["error"] == "invalid_client"


def confirm(browser: Client) -> None:
    session = browser.session
    session["confirmed_at"] = time.time()
    session.save()


def cells() -> Iterator[str]:
    """Every cell of every table, as text and as what its bytes would be as text; and sessions,
    which Django compresses, as what they hold.
    """
    yield from (repr(SessionStore().decode(row.session_data)) for row in SessionRow.objects.all())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                for cell in row:
                    raw = bytes(cell) if isinstance(cell, bytes | memoryview) else None
                    yield str(cell) if raw is None else f"{raw.hex()} {raw.decode('latin-1')}"


def forms_of(secret: str) -> set[str]:
    """As it is and as it is often written."""
    raw = secret.encode()
    bare = secret.replace("-", "")
    return {secret, bare, bare.lower(), raw.hex(), base64.b64encode(raw).decode().rstrip("=")}
