"""A disk restore killed anywhere: no disk that lies, and started again it ends well."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.services.backup import BackupSettings
from backup_agent.sources.disk import open_disk_source
from backup_agent.storage.local import LocalBackend
from tests.helpers.disk_checks import require_clean
from tests.helpers.disk_images import MIB
from tests.helpers.small_computer import SmallComputer, make_small_computer
from tests.killed_restore import restore_latest
from tests.points import back_up, new_repository

ROOT = Path(__file__).resolve().parents[2]
# The whole restore writes about 12 MiB; the mark comes first and the table last.
PLACES = [0, 100, 512, *random.Random(7).sample(range(512, 9 * MIB), 5)]


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> SmallComputer:
    return make_small_computer(tmp_path_factory.mktemp("computer"), "windows-gpt")


@pytest.fixture(scope="module")
def repository(computer: SmallComputer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "repository"
    source = open_disk_source(current_host(), [str(computer.image)], part_size=16 * MIB)
    back_up(new_repository(LocalBackend(folder)), source, settings=BackupSettings(hostname="pc"))
    source.close()
    return folder


def killed_after(repository: Path, target: Path, size: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.killed_restore", repository, target, str(size)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("size", PLACES)
def test_killed_restore_leaves_no_table_and_ends_well_when_started_again(
    tmp_path: Path, computer: SmallComputer, repository: Path, size: int
) -> None:
    target = tmp_path / "disk.img"
    killed_after(repository, target, size)
    assert not any(target.read_bytes()[510:MIB])
    restore_latest(repository, target)
    assert digest(target) == digest(computer.image)


def test_restore_killed_again_and_again_ends_well(
    tmp_path: Path, computer: SmallComputer, repository: Path
) -> None:
    target = tmp_path / "disk.img"
    for size in (2 * MIB, MIB, 700_000, 300):
        killed_after(repository, target, size)
    restore_latest(repository, target)
    assert digest(target) == digest(computer.image)


@pytest.mark.parametrize("size", [300, 5 * MIB, 9 * MIB])
def test_killed_shrink_starts_over_and_leaves_no_scratch_file(
    tmp_path: Path, computer: SmallComputer, repository: Path, size: int
) -> None:
    target = tmp_path / "disk.img"
    with open(target, "wb") as file:
        file.truncate(64 * MIB)
    killed_after(repository, target, size)
    assert not any(target.read_bytes()[510:MIB])
    restore_latest(repository, target)
    assert [path.name for path in tmp_path.iterdir()] == ["disk.img"]
    require_clean(target, tmp_path)
    computer.require_files(target, tmp_path)


def digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
