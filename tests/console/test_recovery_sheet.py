"""The recovery sheet: enough for stock restic, for owners only, and never unnoticed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from console_ui.audit.models import Entry
from console_ui.devices import managed_passwords
from console_ui.django_settings import console_settings
from console_ui.restore.stock_restic import repository_address, variables
from console_ui.settings import Tls
from console_ui.storage.locations import set_fields
from console_ui.storage.models import Location, LocationKind, Vault
from tests.command_line import PASSWORD as REPOSITORY_PASSWORD
from tests.console.gateways import make_password
from tests.console.people import Office
from tests.console.restoring import LETTER, Restorer, Stored, logged_in, restorer
from tests.helpers.disk_checks import examine, hash_in_volume
from tests.helpers.small_computer import SmallComputer
from tests.restic import restic_client
from tests.servers.authority import make_own_certificate

if TYPE_CHECKING:
    from pytest_django import Settings


def _keep_password(mira: Restorer) -> None:
    managed_passwords.keep(
        mira.device, REPOSITORY_PASSWORD, address="127.0.0.1", now=mira.device.linked_at
    )


def _printed(mira: Restorer) -> tuple[str, list[str]]:
    """The sheet's password, and its blocks of commands from top to bottom."""
    sheet = mira.client.post(f"/vaults/{mira.vault.pk}/recovery-sheet").content.decode()
    password = re.search(r'<span class="code">([^<]+)</span>', sheet)
    assert password is not None
    blocks = re.findall(r'<pre class="commands">(.*?)</pre>', sheet, re.DOTALL)
    return unescape(password[1]), [unescape(block) for block in blocks]


def _typed(block: str, folder: Path, *, password: str, answer: str = "") -> str:
    """What a shell prints where somebody types these lines, with stock restic on its path."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    restic = programs / "restic"
    if not restic.exists():
        restic.symlink_to(shutil.which(restic_client()) or "")
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RESTIC_PASSWORD": password,
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    told = subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=folder,
        env=environment,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture
def spaced(
    stored: Stored, transactional_db: None, office: Office, settings: Settings, tmp_path: Path
) -> Iterator[Restorer]:
    """A vault in a folder whose name a shell would take apart, behind TLS of the console's own."""
    folder = tmp_path / "my vaults"
    folder.mkdir()
    files = make_own_certificate(tmp_path)
    tls = Tls(certificate=files.certificate, key=files.key)
    with restorer(stored, office, settings, folder, tls=tls) as found:
        settings.EVERBOOT = replace(console_settings(), public_address=found.address)
        yield found


def test_the_commands_on_the_sheet_bring_back_a_vault_without_the_console(
    spaced: Restorer, tmp_path: Path
) -> None:
    _keep_password(spaced)
    page = f"/vaults/{spaced.vault.pk}/recovery-sheet"
    assert REPOSITORY_PASSWORD not in spaced.client.get(page).content.decode()

    password, (read, restore, join, *_gateway) = _printed(spaced)

    for point in (spaced.stored.files_point, spaced.stored.disk_point):
        assert point[:8] in _typed(read, tmp_path, password=password)
    _typed(restore + "\n" + join, tmp_path, password=password)
    files = restore.replace("latest", spaced.stored.files_point[:8])
    _typed(files, tmp_path, password=password)
    documents = tmp_path.joinpath("restored", *spaced.stored.where)
    assert (documents / "letters" / "Dear Till.txt").read_text() == LETTER
    entry = Entry.objects.get(action="recovery_sheet.shown")
    assert entry.details["with_password"] is True
    assert REPOSITORY_PASSWORD not in str(entry.details)
    _require_volumes(spaced.stored.computer, tmp_path / "restored" / "disks" / "0", tmp_path)


def _require_volumes(computer: SmallComputer, disk: Path, scratch: Path) -> None:
    """The joined images hold the volumes with their files."""
    volumes = examine(computer.image).volumes
    for number, digest in computer.hashes.items():
        image = disk / "volumes" / str(number) / "image.img"
        assert image.stat().st_size == volumes[number].extent.size
        assert hash_in_volume(image, volumes[number], "file.bin", scratch / "file") == digest


def test_the_sheets_way_through_the_console_needs_nothing_that_it_does_not_print(
    spaced: Restorer, tmp_path: Path
) -> None:
    _keep_password(spaced)
    login = make_password(spaced.office.owner, spaced.office.organisation)

    password, (*_without, certificate, gateway) = _printed(spaced)

    sheet = spaced.client.post(f"/vaults/{spaced.vault.pk}/recovery-sheet").content.decode()
    fingerprint = _typed(certificate, tmp_path, password=password).strip().partition("=")[2]
    assert fingerprint in sheet
    listed = _typed(gateway, tmp_path, password=password, answer=f"{login}\n")
    assert spaced.stored.files_point[:8] in listed


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
