"""Browsing a vault in the console: unlocked by a process of its own, and locked again."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from backup_agent.errors import EverbootError
from console_ui.audit.models import Entry
from console_ui.devices import managed_passwords
from console_ui.django_settings import console_settings
from console_ui.restore.models import UnlockedVault
from console_ui.settings import Tls
from console_ui.unlocked.asking import UnlockedDoor, VaultLockedError
from console_ui.unlocked.messages import Done, Lock
from console_ui.unlocked.starting import processes
from tests.command_line import PASSWORD as REPOSITORY_PASSWORD
from tests.console.people import Office
from tests.console.restoring import LETTER, PICTURE, Restorer, Stored, logged_in, restorer
from tests.servers.authority import make_certificates

if TYPE_CHECKING:
    from pytest_django import Settings


def test_a_locked_vault_lists_its_restore_points_and_nothing_in_them(mira: Restorer) -> None:
    page = mira.client.get(f"/devices/{mira.device.pk}/restore").content.decode()

    assert "Browse Cloud Storage" in page
    assert "other ways to restore" in page
    assert "Download an ISO image" in page
    assert mira.stored.files_point in page
    assert "Locked" in page
    assert "documents" not in page


def test_the_password_opens_the_vault_for_this_session_only(mira: Restorer) -> None:
    point = mira.stored.files_point
    asked = mira.client.get(mira.at(point))
    assert asked.headers["Location"].startswith(f"{mira.restore}/unlock?next=")

    mira.unlock()

    assert "Unlocked for this session" in mira.client.get(mira.at(point)).content.decode()
    listed = mira.client.get(f"/devices/{mira.device.pk}/restore").content.decode()
    assert "Complete" in listed
    assert str(mira.stored.documents) in listed
    other = logged_in(mira.office.admin)
    assert "/unlock?next=" in other.get(mira.at(point)).headers["Location"]


def test_a_wrong_password_is_refused_clearly_and_leaves_nothing(mira: Restorer) -> None:
    answer = mira.client.post(f"{mira.restore}/unlock", {"password": "not this one"})

    assert answer.status_code == 403
    assert "This password does not open the vault." in answer.content.decode()
    assert not UnlockedVault.objects.exists()
    assert Entry.objects.filter(action="vault.unlock_refused").count() == 1
    assert "not this one" not in str(list(Entry.objects.values()))


def test_a_managed_password_is_not_asked_for(mira: Restorer) -> None:
    managed_passwords.keep(
        mira.device, REPOSITORY_PASSWORD, address="127.0.0.1", now=mira.device.linked_at
    )
    page = mira.client.get(f"{mira.restore}/unlock").content.decode()
    assert 'type="password"' not in page

    mira.unlock("")

    assert mira.client.get(mira.at(mira.stored.files_point)).status_code == 200
    assert Entry.objects.get(action="vault.unlocked").details["opened_with"] == "kept"


def test_folders_are_browsed_and_files_previewed(mira: Restorer) -> None:
    point = mira.stored.files_point
    mira.unlock()
    names = mira.stored.where

    folder = mira.reference(point, *names)
    listed = mira.lines(f"{mira.at(point)}/{folder}")
    assert list(listed) == ["letters", "names", "large.bin", "notes.txt", "photo.png"]
    letter = mira.reference(point, *names, "letters", "Dear Till.txt")
    text = mira.client.get(mira.at(point, f"preview/{letter}")).content.decode()
    assert "Dear Till, &lt;b&gt;all&lt;/b&gt; is well" in text
    notes = mira.client.get(mira.at(point, f"preview/{listed['notes.txt']}")).content.decode()
    assert "Grüße" in notes

    picture = mira.client.get(mira.at(point, f"picture/{listed['photo.png']}"))
    assert picture.headers["Content-Type"] == "image/png"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert picture.content.startswith(b"\x89PNG")
    assert mira.client.get(mira.at(point, f"picture/{letter}")).status_code == 404


def test_a_search_finds_names_whatever_their_case_and_names_nothing_in_its_address(
    mira: Restorer,
) -> None:
    point = mira.stored.files_point
    mira.unlock()

    sent = mira.client.post(mira.at(point, "search"), {"words": "dear t"})

    address = sent.headers["Location"]
    assert "dear" not in address.lower()
    page = mira.client.get(address).content.decode()
    assert "Dear Till.txt" in page
    assert "documents / letters" in page
    assert "notes.txt" not in page


def test_a_selection_comes_as_a_zip_byte_for_byte(mira: Restorer) -> None:
    point = mira.stored.files_point
    mira.unlock()
    names = mira.stored.where
    listed = mira.lines(f"{mira.at(point)}/{mira.reference(point, *names)}")

    address = mira.zip_address(point, listed["letters"], listed["photo.png"])
    with mira.http() as http:
        answer = http.get(address)

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="ATELIER-01 ')
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.testzip() is None
    inside = "/".join(names)
    files = {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}
    assert files == {
        f"{inside}/letters/Dear Till.txt": LETTER.encode(),
        f"{inside}/photo.png": PICTURE,
    }
    assert Entry.objects.filter(action="files.downloaded").count() == 1


def test_files_inside_a_volume_are_browsed_searched_and_zipped(mira: Restorer) -> None:
    point, hashes = mira.stored.disk_point, mira.stored.computer.hashes
    mira.unlock()

    disks = mira.client.get(mira.at(point)).content.decode()
    assert "machine.json" not in disks
    volumes = mira.lines(f"{mira.at(point)}/{mira.reference(point, 'Disk 1')}")
    assert "Windows" in volumes
    folder = mira.lines(f"{mira.at(point)}/{volumes['Windows']}")
    sent = mira.client.post(mira.at(point, "search"), {"words": "file.bin"})
    hits = mira.client.get(sent.headers["Location"]).content.decode()
    assert hits.count(">file.bin<") == len(hashes)
    assert "disk0 / Windows" in hits

    address = mira.zip_address(point, folder["file.bin"])
    with mira.http() as http:
        packed = zipfile.ZipFile(io.BytesIO(http.get(address).content))
    (name,) = [name for name in packed.namelist() if not name.endswith("/")]
    assert name == "disk0/volume3/file.bin"
    assert hashlib.sha256(packed.read(name)).hexdigest() == hashes[3]


def test_nothing_selected_is_told_and_zips_nothing(mira: Restorer) -> None:
    mira.unlock()

    answer = mira.client.post(mira.at(mira.stored.files_point, "download"), {})

    assert answer.status_code == 409
    assert "Nothing is selected." in answer.content.decode()


@pytest.mark.parametrize("how", ["lock now", "log out", "session ended elsewhere"])
def test_a_vault_is_locked_again_with_its_session(mira: Restorer, how: str) -> None:
    mira.unlock()
    unlocked = mira.unlocked()
    door = UnlockedDoor(console_settings().unlocked_folder, unlocked.id.hex, unlocked.secret)

    match how:
        case "lock now":
            mira.client.post(f"{mira.restore}/lock")
        case "log out":
            mira.client.post("/logout")
        case _:
            unlocked.session.delete()

    assert not UnlockedVault.objects.exists()
    with pytest.raises(VaultLockedError):
        door.ask(Lock(), Done)


def test_a_crash_costs_this_vault_alone_and_leads_to_the_password(mira: Restorer) -> None:
    mira.unlock()
    other = logged_in(mira.office.admin)
    other.post(f"{mira.restore}/unlock", {"password": REPOSITORY_PASSWORD})
    mine = UnlockedVault.objects.get(user=mira.office.owner)
    crash(mine)

    crashed = mira.client.get(mira.at(mira.stored.files_point))

    assert "/unlock?next=" in crashed.headers["Location"]
    assert other.get(mira.at(mira.stored.files_point)).status_code == 200
    mira.unlock()
    assert mira.client.get(mira.at(mira.stored.files_point)).status_code == 200


def crash(unlocked: UnlockedVault) -> None:
    process = processes._running[unlocked.id.hex]
    watching = [thread for thread in threading.enumerate() if thread.name == unlocked.id.hex]
    process.kill()
    process.wait()
    for thread in watching:
        thread.join()


def test_a_crashed_process_is_no_zombie_until_the_next_unlocking(mira: Restorer) -> None:
    mira.unlock()
    unlocked = mira.unlocked()
    pid = processes._running[unlocked.id.hex].pid

    crash(unlocked)

    assert not psutil.pid_exists(pid)
    assert unlocked.id.hex not in processes._running


def test_a_wrong_password_does_not_lock_what_is_open(mira: Restorer) -> None:
    mira.unlock()
    before = mira.unlocked()

    answer = mira.client.post(f"{mira.restore}/unlock", {"password": "not this one"})

    assert answer.headers["Location"] == mira.restore
    assert mira.unlocked().id == before.id
    assert mira.client.get(mira.at(mira.stored.files_point)).status_code == 200


def test_a_damaged_restore_point_says_so_and_the_others_open(mira: Restorer) -> None:
    point = mira.stored.files_point
    file = mira.root / str(mira.vault.pk) / "repository" / "snapshots" / point
    file.chmod(0o600)
    file.write_bytes(bytes(file.stat().st_size))
    mira.unlock()

    listed = mira.client.get(f"/devices/{mira.device.pk}/restore").content.decode()
    opened = mira.client.get(mira.at(point))

    assert listed.count("Damaged") == 1
    assert "Locked" not in listed
    assert opened.status_code == 409
    assert mira.client.get(mira.at(mira.stored.disk_point)).status_code == 200


def test_a_search_for_nothing_but_slashes_finds_nothing_to_look_for(mira: Restorer) -> None:
    point = mira.stored.files_point
    mira.unlock()

    sent = mira.client.post(mira.at(point, "search"), {"words": " / "})

    assert sent.headers["Location"] == mira.at(point)


def test_the_wrong_secret_gets_no_answer(mira: Restorer) -> None:
    mira.unlock()
    unlocked = mira.unlocked()
    folder = console_settings().unlocked_folder

    with pytest.raises(EverbootError, match="locked"):
        UnlockedDoor(folder, unlocked.id.hex, "0" * 64).ask(Lock(), Done)

    assert mira.client.get(mira.at(mira.stored.files_point)).status_code == 200


def test_another_organisation_sees_nothing_of_a_vault(mira: Restorer, other_office: Office) -> None:
    stranger = logged_in(other_office.owner)
    mira.unlock()

    for page in (
        mira.restore,
        f"{mira.restore}/unlock",
        mira.at(mira.stored.files_point),
        f"/devices/{mira.device.pk}/restore",
        f"/vaults/{mira.vault.pk}/recovery-sheet",
    ):
        assert stranger.get(page).status_code == 404, page


def test_a_viewer_restores_nothing(mira: Restorer) -> None:
    viewer = logged_in(mira.office.viewer)

    assert viewer.get(mira.restore).status_code == 403
    assert viewer.post(f"{mira.restore}/unlock", {"password": "x"}).status_code == 403


def test_a_vault_is_read_through_tls_with_the_consoles_own_certificate(
    stored: Stored,
    transactional_db: None,
    office: Office,
    settings: Settings,
    tmp_path: Path,
) -> None:
    files = make_certificates(tmp_path)
    tls = Tls(certificate=files.certificate, key=files.key)

    with restorer(stored, office, settings, tmp_path, tls=tls) as mira:
        mira.unlock()

        assert mira.client.get(mira.at(stored.disk_point)).status_code == 200
