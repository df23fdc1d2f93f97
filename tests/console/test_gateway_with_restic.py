"""Stock restic through the gateway: everything a device does, and what it must not be able to."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from console_ui.audit.actor import THE_CONSOLE
from console_ui.storage import bringing_back, vaults
from console_ui.storage.housekeeping import Housekeeping
from console_ui.storage.models import Alarm, Vault
from tests.console.gateways import Device, let_days_pass
from tests.servers.fault_proxy import Fault, fault_proxy

KEEPER = Housekeeping()
KINDS = ("keys", "snapshots", "index", "data")


def make_files(folder: Path, seed: int, *, count: int = 6, size: int = 300_000) -> None:
    """Files whose bytes cannot be compressed, so that packs are as large as they seem."""
    folder.mkdir(exist_ok=True)
    source = random.Random(seed)
    for number in range(count):
        (folder / f"{seed}-{number}.bin").write_bytes(source.randbytes(size))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_restic_backs_up_checks_restores_and_prunes(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device("init")
    device("backup", files)
    make_files(files, 2)
    device("backup", files)
    device.check()

    device("restore", "latest", "--target", tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(files)

    device("forget", "--keep-last", "1", "--prune")
    device.check()
    assert len(device.names("snapshots")) == 1
    assert device.names("locks") == []


def test_a_hostile_device_deletes_all_it_can_and_the_vault_is_brought_back_whole(
    device: Device, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    make_files(files, 2)
    device("backup", files)
    # What is deleted right after it was stored may be an upload that is sent again.
    let_days_pass(device.vault)
    before = {kind: set(device.names(kind)) for kind in KINDS}
    moment = timezone.now()

    with device.client() as http:
        for kind in KINDS:
            for name in device.names(kind):
                http.delete(f"{kind}/{name}")
        http.delete("config")
        http.delete("")
        # A key that opens nothing, so that the real one is not the last.
        junk = b'{"a key": "that opens nothing"}'
        http.post(f"keys/{hashlib.sha256(junk).hexdigest()}", content=junk)
        for name in before["keys"]:
            http.delete(f"keys/{name}")
        assert device.names("snapshots") == device.names("data") == []
        assert not before["keys"] & set(device.names("keys"))
    device("snapshots", fails=True)
    assert Alarm.objects.filter(vault=device.vault, confirmed_at=None).exists()

    # Three weeks without anybody looking: the alarm keeps it all.
    KEEPER.round(now=moment + timedelta(days=21))
    bring_back(device.vault, moment)

    assert {kind: set(device.names(kind)) for kind in KINDS} == before
    device.check()
    device("restore", "latest", "--target", tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(files)


def bring_back(vault: Vault, moment: datetime) -> None:
    plan = bringing_back.plan(vault, moment, now=timezone.now())
    assert bringing_back.wish(vault, plan)
    KEEPER.round(now=timezone.now())
    vault.refresh_from_db()
    assert vault.bringing_back_to is None


def test_a_vault_can_be_brought_back_and_forth(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    early = timezone.now()
    make_files(files, 2)
    device("backup", files)
    late = timezone.now()

    bring_back(device.vault, early)
    assert len(device.names("snapshots")) == 1
    device.check()

    bring_back(device.vault, late)
    assert len(device.names("snapshots")) == 2
    device.check()


def test_a_vault_of_a_lost_database_comes_back_without_what_was_deleted(
    device: Device, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    make_files(files, 2)
    device("backup", files)
    device("forget", "--keep-last", "1", "--prune")
    before = {kind: set(device.names(kind)) for kind in KINDS}
    hidden = Vault.objects.get().hidden_bytes
    organisation, location = device.vault.organisation, device.vault.location

    Vault.objects.all().delete()
    taken_up = vaults.take_up(organisation, location, device.vault.pk, name="Found", by=THE_CONSOLE)

    assert {kind: set(device.names(kind)) for kind in KINDS} == before
    assert taken_up.hidden_bytes == hidden > 0
    device.check()


def test_a_full_vault_can_be_pruned(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    (files / "1-0.bin").unlink()
    device("backup", files)
    # An unfinished backup's pack, so large that a twentieth of all is more than what is repacked.
    abandoned = bytes(40 << 20)
    with device.client() as http:
        name = hashlib.sha256(abandoned).hexdigest()
        http.post(f"data/{name}", content=abandoned).raise_for_status()
    vault = Vault.objects.get()
    Vault.objects.update(quota_bytes=vault.visible_bytes)

    device("forget", "--keep-last", "1", "--prune", "--max-unused", "0")
    device.check()
    assert Vault.objects.get().visible_bytes < vault.visible_bytes


def test_a_small_vault_that_is_full_is_pruned_in_one_go(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device.init()
    device("backup", files)
    for file in files.iterdir():
        file.unlink()
    make_files(files, 2)
    device("backup", files)
    (files / "2-0.bin").unlink()
    device("backup", files)
    vault = Vault.objects.get()
    Vault.objects.update(quota_bytes=vault.visible_bytes + 10)

    # What is needed of its packs fits into what the gateway takes beyond the quota meanwhile.
    device("forget", "--keep-last", "1", "--prune", "--max-unused", "0")

    device.check()
    assert Vault.objects.get().visible_bytes < vault.visible_bytes * 0.6


@pytest.mark.parametrize("fault", [Fault.CUT_REQUEST, Fault.LOST_ANSWER, Fault.CORRUPT_REQUEST])
def test_an_upload_that_breaks_off_is_sent_again(
    device: Device, tmp_path: Path, fault: Fault
) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    with fault_proxy(device.gateway) as proxy:
        through = device.at(proxy.origin)
        through.init()
        proxy.inject(fault, method="POST", path="/data/", times=2)
        through("backup", files)

    device.check()
    assert device.names("locks") == []
