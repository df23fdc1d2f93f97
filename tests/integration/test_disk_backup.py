"""Disks through the whole engine into a repository, and out of it with stock restic."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import ignore
from backup_agent.model.snapshot import TAG_INCOMPLETE
from backup_agent.repository.repository import Repository, create_repository
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.sources.disk import open_disk_source
from backup_agent.storage.local import LocalBackend
from tests.helpers.disk_images import MIB, make_disk, place, run_tool
from tests.helpers.fake_host import FakeHost
from tests.helpers.restored_disk import restore_disk
from tests.helpers.stored_disk import CollectedDisk
from tests.points import WEAK

PASSWORD = "disks"
PART_SIZE = 2 * MIB
SCRIPT = "label: gpt\nstart=1MiB, size=4MiB\nstart=6MiB, size=3MiB\n"
PARTS = [f"/disks/0/volumes/{v}/image/{p}/part" for v, p in [(1, "0000"), (1, "0001"), (2, "0000")]]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = make_disk(tmp_path / "disk.img", 10 * MIB, SCRIPT)
    place(path, MIB, random.Random(1).randbytes(3 * MIB))
    place(path, 6 * MIB, random.Random(2).randbytes(MIB))
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return create_repository(LocalBackend(tmp_path / "repository"), PASSWORD, parameters=WEAK)


def back_up(repository: Repository, image: Path, host: Host | None = None) -> BackupResult:
    source = open_disk_source(host or current_host(), [str(image)], part_size=PART_SIZE)
    settings = BackupSettings(hostname="pc")
    result = run_backup(repository, source, settings, emit=ignore, cancel=CancelToken())
    source.close()
    return result


def restic(repository: Repository, *arguments: str | Path) -> str:
    program = os.environ.get("RESTIC", "restic")
    run_tool(program, "version")  # skips where restic is not installed
    done = subprocess.run(
        [program, "--no-cache", "-r", repository.location, *arguments],
        env={**os.environ, "RESTIC_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def times_of_parts(repository: Repository, result: BackupResult) -> dict[str, str]:
    lines = restic(repository, "ls", "--json", result.snapshot.id).splitlines()
    nodes = [json.loads(line) for line in lines]
    return {n["path"]: n["mtime"] for n in nodes if n.get("path") in PARTS}


def test_disk_restored_by_restic_is_put_together_to_the_same_bytes(
    tmp_path: Path, repository: Repository, image: Path
) -> None:
    result = back_up(repository, image)
    assert result.complete
    restic(repository, "check", "--read-data")
    folder = tmp_path / "restored"
    restic(repository, "restore", result.snapshot.id, "--target", folder)
    files = {
        f"/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    stored = CollectedDisk(files)
    again = tmp_path / "again.img"
    restore_disk(stored, again)
    assert again.read_bytes() == image.read_bytes()


def test_unchanged_disk_adds_nothing(repository: Repository, image: Path) -> None:
    first = back_up(repository, image)
    second = back_up(repository, image)
    assert second.snapshot.tree == first.snapshot.tree
    assert second.summary.data_added == 0
    files = second.summary.total_files_processed
    assert (second.summary.files_changed, second.summary.files_unmodified) == (0, files)


def test_changed_mib_adds_one_blob_and_only_its_part_gets_a_new_time(
    repository: Repository, image: Path
) -> None:
    first = back_up(repository, image)
    place(image, MIB + 3 * MIB + 5, b"something new")
    second = back_up(repository, image)
    assert second.summary.data_blobs == 1
    before, after = times_of_parts(repository, first), times_of_parts(repository, second)
    assert [path for path in PARTS if before[path] != after[path]] == [PARTS[1]]
    assert second.summary.files_changed == 1
    assert list(before) == PARTS


def test_bad_sectors_make_the_restore_point_incomplete_and_name_the_range(
    repository: Repository, image: Path
) -> None:
    result = back_up(repository, image, FakeHost(bad=[Extent(3 * MIB + 4096, 4096)]))
    assert TAG_INCOMPLETE in result.snapshot.tags
    (omission,) = result.omissions
    assert (omission.path.decode(), omission.ranges) == (PARTS[1], (Extent(4096, 4096),))


def test_zero_stretches_are_blobs_of_512_kib(repository: Repository, image: Path) -> None:
    result = back_up(repository, image)
    # 3 + 1 MiB of data, the head, the tail, and one zero blob for all the rest.
    texts = 4  # machine.json, layout.json, two volume.json
    assert result.summary.data_blobs == 4 + 1 + 1 + 1 + texts
