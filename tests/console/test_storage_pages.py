"""The pages of storage locations and vaults."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backup_agent.errors import IntegrityError, UsageError
from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.accounts.models import Role
from console_ui.audit.models import Entry
from console_ui.django_settings import console_settings
from console_ui.storage import catalog, objects
from console_ui.storage.housekeeping import Housekeeping
from console_ui.storage.locations import place_of
from console_ui.storage.models import Alarm, Location, LocationKind, Reason, StoredObject, Vault
from console_ui.storage.stores import stores
from tests.console.gateways import let_days_pass, make_location, make_vault, store_object
from tests.console.people import PASSWORD, Office

S3_FIELDS = {
    "name": "Cellar",
    "endpoint": "http://127.0.0.1:1",
    "bucket": "backups",
    "access_key": "AKIDEXAMPLE",
    "secret_key": "a-very-secret-key",
}

SWIFT_FIELDS = {
    "name": "Cellar",
    "auth_url": "https://127.0.0.1:1/v3",
    "container": "backups",
    "username": "till",
    "password": "a-very-secret-password",
    "user_domain": "default",
}
WEBDAV_FIELDS = {
    "name": "Cellar",
    "url": "https://127.0.0.1:1/dav",
    "username": "till",
    "password": "a-very-secret-password",
}


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    """A folder below which vaults may lie."""
    folder = tmp_path / "vaults"
    folder.mkdir()
    settings.EVERBOOT = replace(console_settings(), storage_roots=(folder,))
    return folder


@pytest.fixture
def vault(office: Office, root: Path) -> Vault:
    """Ten days old."""
    fields = {"root": str(root), "folder": "inner"}
    location = make_location(office.organisation, LocationKind.FOLDER, fields)
    vault = make_vault(office.organisation, location)
    let_days_pass(vault, 10)
    vault.refresh_from_db()
    return vault


@pytest.fixture
def confirmed(owner: Client) -> Client:
    """The owner, who has just proved who they are."""
    owner.post("/confirm", {"password": PASSWORD})
    return owner


def test_a_folder_location_is_added_and_tested(confirmed: Client, root: Path) -> None:
    answer = confirmed.post(
        "/locations/add/folder", {"name": "Cellar", "root": str(root), "folder": "a/b"}
    )

    assert answer.status_code == 302
    location = Location.objects.get()
    assert location.tested_at is not None
    assert location.test_failure == ""
    assert "Works" in confirmed.get("/locations").content.decode()
    assert {e.action for e in Entry.objects.all()} >= {
        "storage_location.added",
        "storage_location.tested",
    }


def test_a_new_s3_location_needs_its_secret(confirmed: Client) -> None:
    answer = confirmed.post("/locations/add/s3", {**S3_FIELDS, "secret_key": ""})

    assert 'id="id_secret_key_error"' in answer.content.decode()
    assert not Location.objects.exists()


@pytest.mark.parametrize("page", ["/vaults", "/vaults/add", "/devices"])
def test_where_there_is_no_location_pages_lead_to_adding_one(confirmed: Client, page: str) -> None:
    told = confirmed.get(page).content.decode()

    assert re.search(r'class="btn pri mid" href="/locations"', told)


@pytest.mark.parametrize("page", ["/vaults", "/devices"])
def test_who_may_not_add_a_location_is_told_who_does(
    client: Client, office: Office, page: str
) -> None:
    client.force_login(office.operator)

    told = client.get(page).content.decode()

    assert "An administrator of your organisation can add one." in told
    assert 'href="/locations"' not in told


def test_a_viewer_is_offered_no_device_to_add(client: Client, office: Office, vault: Vault) -> None:
    vault.delete()
    client.force_login(office.viewer)

    for page in ("/vaults", "/devices"):
        assert 'href="/link"' not in client.get(page).content.decode()


@pytest.mark.parametrize(("used", "shown"), [(90, False), (91, True)])
def test_a_vault_says_when_less_than_a_tenth_is_left(
    confirmed: Client, vault: Vault, used: int, shown: bool
) -> None:
    Vault.objects.filter(pk=vault.pk).update(quota_bytes=100, visible_bytes=used)

    for page in ("/vaults", f"/vaults/{vault.pk}"):
        assert ("Nearly full" in confirmed.get(page).content.decode()) == shown


def test_a_failed_connection_says_what_is_wrong(confirmed: Client) -> None:
    confirmed.post("/locations/add/s3", S3_FIELDS)

    page = confirmed.get("/locations").content.decode()

    assert "private network" in page
    assert "private network" in Location.objects.get().test_failure


def test_secrets_are_sealed_never_shown_and_kept_when_left_empty(confirmed: Client) -> None:
    confirmed.post("/locations/add/s3", S3_FIELDS)
    location = Location.objects.get()

    shown = confirmed.get(f"/locations/{location.pk}").content.decode()
    confirmed.post(f"/locations/{location.pk}", {**S3_FIELDS, "bucket": "other", "secret_key": ""})

    location.refresh_from_db()
    assert "AKIDEXAMPLE" in shown
    assert "a-very-secret-key" not in shown
    assert place_of(location).environment["AWS_SECRET_ACCESS_KEY"] == "a-very-secret-key"
    assert place_of(location).address == "s3:http://127.0.0.1:1/other"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM storage_location")
        assert b"a-very-secret-key" not in repr(cursor.fetchall()).encode()
        cursor.execute("SELECT * FROM audit_entry")
        assert "a-very-secret-key" not in repr(cursor.fetchall())


@pytest.mark.parametrize(
    ("kind", "fields", "changed"),
    [
        ("s3", S3_FIELDS, {"endpoint": "http://127.0.0.2:1"}),
        ("s3", S3_FIELDS, {"endpoint": "http://127.0.0.1:2"}),
        ("s3", S3_FIELDS, {"access_key": "AKIDOTHER"}),
        ("swift", SWIFT_FIELDS, {"auth_url": "http://127.0.0.1:1/v3"}),
        ("swift", SWIFT_FIELDS, {"auth_url": "https://127.0.0.2:1/v3"}),
        ("swift", SWIFT_FIELDS, {"username": "other"}),
        ("swift", SWIFT_FIELDS, {"user_domain": "other"}),
        ("webdav", WEBDAV_FIELDS, {"url": "https://127.0.0.2:1/dav"}),
    ],
)
def test_a_secret_is_never_sent_to_another_server_or_for_another_user(
    confirmed: Client, kind: str, fields: dict[str, str], changed: dict[str, str]
) -> None:
    confirmed.post(f"/locations/add/{kind}", fields)
    location = Location.objects.get()
    secret = "secret_key" if kind == "s3" else "password"

    asked = confirmed.post(f"/locations/{location.pk}", {**fields, **changed, secret: ""})

    assert "give the secret again" in asked.content.decode()
    location.refresh_from_db()
    assert {key: location.settings[key] for key in changed} != changed
    confirmed.post(f"/locations/{location.pk}", {**fields, **changed, secret: "a new one"})
    location.refresh_from_db()
    assert {key: location.settings[key] for key in changed} == changed
    assert "a new one" in place_of(location).environment.values()
    assert fields[secret] not in place_of(location).environment.values()


def test_a_secret_goes_with_the_user_it_was_for(confirmed: Client) -> None:
    confirmed.post("/locations/add/swift", SWIFT_FIELDS)
    location = Location.objects.get()
    credential = {
        "username": "",
        "password": "",
        "application_credential_id": "id",
        "application_credential_secret": "secret of the credential",
    }

    answer = confirmed.post(f"/locations/{location.pk}", {**SWIFT_FIELDS, **credential})

    assert answer.status_code == 302
    location.refresh_from_db()
    assert SWIFT_FIELDS["password"] not in place_of(location).environment.values()


def test_a_folder_on_the_same_server_needs_no_secret_again(confirmed: Client) -> None:
    confirmed.post("/locations/add/webdav", WEBDAV_FIELDS)
    location = Location.objects.get()
    other = {**WEBDAV_FIELDS, "url": "https://127.0.0.1:1/other", "password": ""}

    assert confirmed.post(f"/locations/{location.pk}", other).status_code == 302

    location.refresh_from_db()
    assert WEBDAV_FIELDS["password"] in place_of(location).environment.values()


def test_a_sealed_secret_fits_only_its_own_location(confirmed: Client, office: Office) -> None:
    one = make_location(office.organisation, LocationKind.S3, S3_FIELDS, name="One")
    two = make_location(office.organisation, LocationKind.S3, S3_FIELDS, name="Two")
    two.sealed_secrets = one.sealed_secrets

    with pytest.raises(IntegrityError):
        place_of(two)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "ftp://host"),
        ("endpoint", "https://user:password@host"),
        ("endpoint", "host"),
        ("endpoint", "https://host:port"),
        ("bucket", "a/b"),
        ("bucket", ".."),
        ("path", "../other"),
        ("path", "/etc"),
        ("access_key", ""),
    ],
)
def test_fields_that_make_no_sense_are_refused(confirmed: Client, field: str, value: str) -> None:
    answer = confirmed.post("/locations/add/s3", {**S3_FIELDS, field: value})

    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()
    assert not Location.objects.exists()


@pytest.mark.parametrize("folder", ["../outside", "/etc", "a/../../b"])
def test_a_folder_outside_the_roots_is_refused(confirmed: Client, root: Path, folder: str) -> None:
    fields = {"name": "Cellar", "root": str(root), "folder": folder}
    assert confirmed.post("/locations/add/folder", fields).status_code == 200
    elsewhere = {"name": "Cellar", "root": "/etc", "folder": ""}
    assert confirmed.post("/locations/add/folder", elsewhere).status_code == 200
    assert not Location.objects.exists()


def test_a_symbolic_link_leads_no_vault_out_of_its_root(office: Office, root: Path) -> None:
    (root / "link").symlink_to("/etc")
    fields = {"root": str(root), "folder": "link"}

    with pytest.raises(UsageError):
        place_of(make_location(office.organisation, LocationKind.FOLDER, fields))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_only_administrators_see_locations(
    client: Client, office: Office, vault: Vault, role: Role
) -> None:
    client.force_login(office.member(role))

    assert client.get("/locations").status_code == 403
    assert client.get("/vaults").status_code == 200
    assert "Bring back" not in client.get(f"/vaults/{vault.pk}").content.decode()
    assert client.post(f"/vaults/{vault.pk}/limits", {}).status_code == 403


def test_another_organisations_vaults_and_locations_are_not_there(
    confirmed: Client, other_office: Office, root: Path
) -> None:
    fields = {"root": str(root)}
    location = make_location(other_office.organisation, LocationKind.FOLDER, fields)
    vault = make_vault(other_office.organisation, location)

    for page in (
        f"/locations/{location.pk}",
        f"/vaults/{vault.pk}",
        f"/vaults/{vault.pk}/bring-back",
    ):
        assert confirmed.get(page).status_code == 404
    for page in (
        f"/locations/{location.pk}/test",
        f"/locations/{location.pk}/remove",
        f"/vaults/{vault.pk}/limits",
        f"/vaults/{vault.pk}/confirm",
    ):
        assert confirmed.post(page).status_code == 404
    add = {"name": "Mine", "location": str(location.pk)}
    assert confirmed.post("/vaults/add", add).status_code == 200
    assert Vault.objects.count() == 1


def test_a_location_with_vaults_cannot_be_removed(confirmed: Client, vault: Vault) -> None:
    confirmed.post(f"/locations/{vault.location.pk}/remove")
    assert Location.objects.exists()

    vault.delete()
    confirmed.post(f"/locations/{vault.location.pk}/remove")
    assert not Location.objects.exists()


def test_a_vault_is_made_and_limited(confirmed: Client, office: Office, root: Path) -> None:
    location = make_location(office.organisation, LocationKind.FOLDER, {"root": str(root)})

    answer = confirmed.post("/vaults/add", {"name": "Till", "location": str(location.pk)})
    vault = Vault.objects.get()
    limits = {"quota_gb": 3, "keep_last": 1, "keep_daily": 7, "keep_weekly": 0, "keep_monthly": 0}
    confirmed.post(f"/vaults/{vault.pk}/limits", limits)

    assert answer.headers["Location"] == f"/vaults/{vault.pk}"
    vault.refresh_from_db()
    assert (vault.quota_bytes, vault.keep_daily) == (3 * 10**9, 7)
    assert (root / str(vault.pk) / "repository" / "keys").is_dir()
    assert (
        f"rest:http://localhost:8470/storage/{vault.pk}/"
        in confirmed.get(f"/vaults/{vault.pk}").content.decode()
    )


@pytest.mark.usefixtures("transactional_db")
def test_a_vault_that_is_known_cannot_be_taken_up_again(confirmed: Client, vault: Vault) -> None:
    form = {"name": "Again", "location": str(vault.location.pk), "vault_id": str(vault.pk)}

    answer = confirmed.post("/vaults/add", form)

    assert answer.status_code == 200
    assert "cannot be taken up" in answer.content.decode()
    assert [each.name for each in Vault.objects.all()] == [vault.name]


def store_and_hide(vault: Vault, body: bytes) -> StoredObject:
    """A restore point that was stored an hour ago and deleted just now."""
    key = ObjectKey(FileKind.SNAPSHOT, hashlib.sha256(body).hexdigest())
    store = stores.of(vault)
    earlier = timezone.now() - timedelta(hours=1)
    store.write(key, io.BytesIO(body))
    line = catalog.add(vault, key, len(body), at=earlier)
    objects.hide(store, line, now=timezone.now())
    return line


def test_a_vault_is_brought_back_after_looking_at_the_plan(confirmed: Client, vault: Vault) -> None:
    line = store_and_hide(vault, b"a restore point")
    page = confirmed.get(f"/vaults/{vault.pk}").content.decode()
    link = re.search(r'href="([^"]+bring-back\?moment=[^"]+)"', page)
    assert link is not None

    plan = confirmed.get(link[1]).content.decode()
    assert "1 restore point comes back" in plan
    moment = link[1].partition("=")[2]
    confirmed.post(f"/vaults/{vault.pk}/bring-back", {"moment": moment})
    vault.refresh_from_db()
    assert vault.bringing_back_to is None

    confirmed.post(f"/vaults/{vault.pk}/bring-back", {"moment": moment, "sure": "yes"})
    vault.refresh_from_db()
    assert vault.bringing_back_to is not None
    Housekeeping().round(now=timezone.now())

    line.refresh_from_db()
    assert line.state == "visible"
    actions = list(Entry.objects.values_list("action", flat=True))
    assert {"vault.bring_back_begun", "vault.brought_back"} <= set(actions)


@pytest.mark.parametrize("days", [-1, 15])
def test_a_vault_cannot_be_brought_back_to_any_moment(
    confirmed: Client, vault: Vault, days: int
) -> None:
    moment = (timezone.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")

    answer = confirmed.post(f"/vaults/{vault.pk}/bring-back", {"moment": moment, "sure": "yes"})

    assert "any moment since" in answer.content.decode()
    vault.refresh_from_db()
    assert vault.bringing_back_to is None


def test_bringing_back_asks_once_more_who_it_is(owner: Client, vault: Vault) -> None:
    session = owner.session
    session.pop("confirmed_at", None)
    session.save()

    answer = owner.get(f"/vaults/{vault.pk}/bring-back")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/confirm")


def test_an_alarm_stops_purging_until_it_is_confirmed(confirmed: Client, vault: Vault) -> None:
    line = store_and_hide(vault, b"a restore point")
    Alarm.objects.create(vault=vault, reason=Reason.MANY_POINTS, raised_at=timezone.now())
    keeper = Housekeeping()
    late = timezone.now() + timedelta(days=15)
    assert "Nothing is lost" in confirmed.get(f"/vaults/{vault.pk}").content.decode()

    keeper.round(now=late)
    assert StoredObject.objects.filter(pk=line.pk).exists()

    confirmed.post(f"/vaults/{vault.pk}/confirm")
    keeper.round(now=late)
    assert not StoredObject.objects.filter(pk=line.pk).exists()
    vault.refresh_from_db()
    assert (vault.visible_bytes, vault.hidden_bytes) == (0, 0)


def test_a_prune_and_an_attack_minutes_later_are_two_deletions(
    confirmed: Client, vault: Vault
) -> None:
    at = timezone.now().replace(microsecond=500_000) - timedelta(minutes=20)
    moments = [at, at + timedelta(seconds=40), at + timedelta(minutes=2)]
    for number, moment in enumerate(moments):
        point = store_object(
            vault, FileKind.SNAPSHOT, b"%d" % number, at=at - timedelta(days=number + 1)
        )
        objects.hide(stores.of(vault), point, now=moment)
    Alarm.objects.create(vault=vault, reason=Reason.RETENTION, raised_at=moments[2])

    page = confirmed.get(f"/vaults/{vault.pk}").content.decode()
    form = confirmed.get(f"/vaults/{vault.pk}/bring-back").content.decode()

    before = [f"{moments[n] - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}" for n in (2, 0)]
    assert re.findall(r'bring-back\?moment=([^"]+)"', page) == before
    assert f"{moments[2]:%H:%M:%S} UTC" in page
    assert f'value="{before[0]}"' in form
