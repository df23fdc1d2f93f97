"""The recovery sheet: enough for stock restic, for owners only, and never unnoticed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from console_ui.audit.models import Entry
from console_ui.devices import managed_passwords
from console_ui.restore.stock_restic import repository_address, variables
from console_ui.storage.locations import set_fields
from console_ui.storage.models import Location, LocationKind, Vault
from tests.command_line import PASSWORD as REPOSITORY_PASSWORD
from tests.console.people import Office
from tests.console.restoring import Restorer, logged_in
from tests.restic import restic_client


def _keep_password(mira: Restorer) -> None:
    managed_passwords.keep(
        mira.device, REPOSITORY_PASSWORD, address="127.0.0.1", now=mira.device.linked_at
    )


def test_the_commands_on_the_sheet_read_the_vault_without_the_console(
    mira: Restorer, tmp_path: Path
) -> None:
    _keep_password(mira)
    page = f"/vaults/{mira.vault.pk}/recovery-sheet"
    assert REPOSITORY_PASSWORD not in mira.client.get(page).content.decode()

    sheet = unescape(mira.client.post(page).content.decode())

    password = re.search(r'<span class="code">([^<]+)</span>', sheet)
    assert password is not None
    commands = re.findall(r"^(?:<pre[^>]*>)?restic (.*?)(?:</pre>)?$", sheet, re.MULTILINE)
    snapshots = shlex.split(commands[0])
    told = subprocess.run(
        [restic_client(), *snapshots, "--no-cache", "--no-lock"],
        env={**os.environ, "RESTIC_PASSWORD": password[1], "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert mira.stored.files_point[:8] in told.stdout
    entry = Entry.objects.get(action="recovery_sheet.shown")
    assert entry.details["with_password"] is True
    assert REPOSITORY_PASSWORD not in str(entry.details)


def test_a_private_password_is_left_to_be_written_by_hand(mira: Restorer) -> None:
    sheet = mira.client.post(f"/vaults/{mira.vault.pk}/recovery-sheet").content.decode()

    assert "write it here by hand" in sheet
    assert Entry.objects.get(action="recovery_sheet.shown").details["with_password"] is False


def test_the_sheet_is_for_owners_who_have_just_proved_themselves(mira: Restorer) -> None:
    page = f"/vaults/{mira.vault.pk}/recovery-sheet"
    assert logged_in(mira.office.admin).get(page).status_code == 403

    unconfirmed = Client()
    unconfirmed.force_login(mira.office.owner)

    for answer in (unconfirmed.get(page), unconfirmed.post(page)):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/confirm")
    assert not Entry.objects.filter(action="recovery_sheet.shown").exists()


@pytest.mark.parametrize(
    ("kind", "fields", "address"),
    [
        (
            LocationKind.S3,
            {"endpoint": "https://s3.example.org", "bucket": "keller", "path": "office"},
            "s3:https://s3.example.org/keller/office/{vault}/repository",
        ),
        (
            LocationKind.SWIFT,
            {"auth_url": "https://keystone.example.org/v3", "container": "keller"},
            "swift:keller:/{vault}/repository",
        ),
        (
            LocationKind.WEBDAV,
            {"url": "https://dav.example.org/keller"},
            "rclone:webdav:{vault}/repository",
        ),
    ],
)
def test_addresses_are_as_restic_wants_them_and_hold_no_secret(
    office: Office, kind: LocationKind, fields: dict[str, str], address: str
) -> None:
    location = Location(organisation=office.organisation, name="Cellar", kind=kind)
    set_fields(location, {**fields, "secret_key": "hush", "password": "hush"})
    vault = Vault(organisation=office.organisation, location=location, name="x")

    told = repository_address(vault)

    assert told == address.format(vault=vault.pk)
    assert "hush" not in told + "".join(variables(location))
