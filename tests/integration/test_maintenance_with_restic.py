"""Both tools look after one repository, by turns: stock restic judges our work, we judge its."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

import pytest

from backup_agent.errors import StorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.subset import EVERYTHING
from backup_agent.repository.check import CheckReport
from backup_agent.repository.prune_plan import PrunePlan
from backup_agent.repository.repository import Repository, open_repository
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.check import run_check
from backup_agent.services.keys import add_password, change_password, list_passwords
from backup_agent.services.prune import run_prune
from backup_agent.services.repair import run_repair_index
from backup_agent.sources.tree import FileTree
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.local import LocalBackend
from tests.points import PASSWORD
from tests.restic import Restic, restic_client


class Shared:
    """A repository in a folder, a source, and both programs."""

    def __init__(self, folder: Path, *, version: int) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.place = folder / "repository"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RESTIC_REPOSITORY": str(self.place),
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": str(folder / "cache"),
        }
        Restic(self.place).init(version=version)

    def restic(self, *arguments: str) -> str:
        done = subprocess.run(
            [restic_client(), *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"restic {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    @cached_property
    def repository(self) -> Repository:
        """Opened once, as the agent does, while the other tool changes what is there."""
        return open_repository(LocalBackend(self.place), PASSWORD)

    def write(self, *names: str) -> None:
        """Files of three kinds: tiny, compressible, several chunks long."""
        self.source.mkdir(exist_ok=True)
        for name in names:
            chance = random.Random(name)
            (self.source / f"{name}.tiny").write_text(name)
            (self.source / f"{name}.text").write_text(f"{name} " * chance.randrange(9_000))
            (self.source / f"{name}.data").write_bytes(chance.randbytes(1_500_000))

    def delete(self, name: str) -> None:
        for path in self.source.glob(f"{name}.*"):
            path.unlink()

    def our_backup(self) -> str:
        result = run_backup(
            self.repository,
            FileTree([str(self.source)]),
            BackupSettings(),
            emit=ignore,
            cancel=CancelToken(),
        )
        return result.snapshot.id

    def their_backup(self) -> str:
        output = self.restic("backup", "--json", str(self.source)).splitlines()
        return next(
            str(message["snapshot_id"])
            for message in map(json.loads, output)
            if message["message_type"] == "summary"
        )

    def our_forget(self, *points: str) -> None:
        for point in points:
            self.repository.remove_snapshot(self.repository.snapshot_id(point))

    def our_prune(self) -> PrunePlan:
        return prune_all(self.repository)

    def our_repair(self) -> None:
        run_repair_index(
            self.repository, on_plan=lambda _plan: None, emit=ignore, cancel=CancelToken()
        )

    def our_check(self) -> CheckReport:
        return run_check(
            self.repository, headers=True, read_data=EVERYTHING, emit=ignore, cancel=CancelToken()
        )

    def both_check(self) -> None:
        output = self.restic("check", "--read-data")
        assert "no errors were found" in output
        assert self.our_check().errors == ()

    def restores(self, point: str) -> dict[str, bytes]:
        target = self.folder / f"restored-{point[:8]}"
        self.restic("restore", point, "--target", str(target))
        found = {path.name: path.read_bytes() for path in target.rglob("*") if path.is_file()}
        shutil.rmtree(target)
        return found

    def present(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.source.iterdir()}

    def packs(self) -> set[str]:
        return {info.name for info in LocalBackend(self.place).list(FileKind.PACK)}


def prune_all(repository: Repository) -> PrunePlan:
    return run_prune(
        repository,
        max_unused=0,
        on_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def shared(tmp_path: Path, request: pytest.FixtureRequest) -> Shared:
    return Shared(tmp_path, version=request.param)


def test_restic_finds_nothing_wrong_after_our_prune_of_its_repository(shared: Shared) -> None:
    shared.write("a", "b", "c")
    first = shared.their_backup()
    shared.delete("b")
    shared.write("d")
    second = shared.their_backup()
    shared.our_forget(first)
    before = sum(path.stat().st_size for path in shared.place.rglob("*") if path.is_file())
    plan = shared.our_prune()
    after = sum(path.stat().st_size for path in shared.place.rglob("*") if path.is_file())
    assert plan.unused.count > 0
    assert before - after > 1_400_000
    shared.both_check()
    assert shared.restores(second) == shared.present()
    # And on it goes: restic finds no duplicate work and nothing to prune.
    third = shared.their_backup()
    assert shared.restores(third) == shared.present()
    shared.restic("prune", "--max-unused", "0")
    shared.both_check()


def test_we_find_nothing_wrong_after_restic_pruned_what_both_wrote(shared: Shared) -> None:
    shared.write("a", "b")
    ours = shared.our_backup()
    shared.write("c")
    theirs = shared.their_backup()
    shared.delete("a")
    last = shared.our_backup()
    shared.restic("forget", "--prune", "--max-unused", "0", ours, theirs)
    assert shared.our_check().findings == ()
    assert shared.restores(last) == shared.present()
    assert shared.our_prune().unused.count == 0
    again = shared.our_backup()
    shared.both_check()
    assert shared.restores(again) == shared.present()


def test_tools_prune_by_turns(shared: Shared) -> None:
    shared.write("a")
    points: list[str] = []
    for turn in range(4):
        shared.write(f"turn{turn}")
        points.append(shared.our_backup() if turn % 2 else shared.their_backup())
        shared.delete(f"turn{turn - 1}")
        if turn > 1:
            if turn % 2:
                shared.our_forget(points[turn - 2])
                shared.our_prune()
            else:
                shared.restic("forget", "--prune", points[turn - 2])
            shared.both_check()
    last = shared.our_backup()
    assert shared.restores(last) == shared.present()


def test_restic_accepts_our_index_made_from_headers(shared: Shared) -> None:
    shared.write("a", "b")
    theirs = shared.their_backup()
    shared.write("c")
    ours = shared.our_backup()
    for path in (shared.place / "index").iterdir():
        path.unlink()
    shared.our_repair()
    shared.both_check()
    assert shared.restores(ours) == shared.present()
    assert set(shared.restores(theirs)) < set(shared.present())


def test_restic_accepts_our_replacement_of_a_damaged_index(shared: Shared) -> None:
    shared.write("a")
    shared.our_backup()
    shared.write("b")
    point = shared.our_backup()
    damaged = min((shared.place / "index").iterdir())
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert shared.our_check().errors[0].file == f"index/{damaged.name}"
    shared.our_repair()
    shared.both_check()
    assert shared.restores(point) == shared.present()


def test_we_accept_the_index_that_restic_rebuilt_for_our_packs(shared: Shared) -> None:
    shared.write("a", "b")
    point = shared.our_backup()
    for path in (shared.place / "index").iterdir():
        path.unlink()
    shared.restic("rebuild-index")
    assert shared.our_check().findings == ()
    assert shared.restores(point) == shared.present()


def test_restic_accepts_what_we_salvage_from_a_truncated_pack(shared: Shared) -> None:
    shared.write("a", "b")
    shared.our_backup()
    backend = LocalBackend(shared.place)
    largest = max(shared.packs(), key=lambda name: backend.size(ObjectKey(FileKind.PACK, name)))
    pack = shared.place / ObjectKey(FileKind.PACK, largest).path
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[: -pack.stat().st_size // 3])
    shared.our_repair()
    assert pack.exists()
    for path in shared.source.iterdir():
        path.write_bytes(path.read_bytes())
    point = shared.our_backup()
    shared.our_prune()
    assert not pack.exists()
    shared.both_check()
    assert shared.restores(point) == shared.present()


def test_check_names_every_pack_that_is_cut_short(shared: Shared) -> None:
    """A folder, unlike memory, answers a read beyond the end by an error of its own."""
    shared.write("a")
    shared.their_backup()
    for name in shared.packs():
        pack = shared.place / ObjectKey(FileKind.PACK, name).path
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:40])
    assert {finding.file for finding in shared.our_check().errors} >= {
        ObjectKey(FileKind.PACK, name).path for name in shared.packs()
    }


def test_passwords_of_each_tool_open_for_the_other(tmp_path: Path) -> None:
    shared = Shared(tmp_path, version=2)
    add_password(shared.repository, "ours", username="ann", hostname="desk")
    shared.environment["RESTIC_PASSWORD"] = "ours"
    assert "ann" in shared.restic("key", "list")
    (shared.folder / "new").write_text("theirs")
    shared.restic("key", "add", "--new-password-file", str(shared.folder / "new"))
    repository = open_repository(LocalBackend(shared.place), "theirs")
    assert len(list_passwords(repository).keys) == 3
    change_password(repository, "changed")
    shared.environment["RESTIC_PASSWORD"] = "changed"
    shared.restic("check")


def test_restic_finds_every_point_whole_wherever_our_prune_broke_off(tmp_path: Path) -> None:
    shared = Shared(tmp_path, version=2)
    shared.write("a", "b")
    first = shared.their_backup()
    shared.delete("b")
    second = shared.our_backup()
    shared.our_forget(first)
    whole = tmp_path / "whole"
    shared.place.rename(whole)
    operations = 0
    fail_at = 0
    while fail_at <= operations:
        shutil.copytree(whole, shared.place)
        faulty = FaultyBackend(LocalBackend(shared.place), fail_at=fail_at)
        with contextlib.suppress(StorageError):
            prune_all(open_repository(faulty, PASSWORD))
        # The first time nothing fails, which tells how many operations there are.
        operations = operations or faulty.operations
        shared.restic("unlock", "--remove-all")
        assert "no errors were found" in shared.restic("check")
        assert shared.restores(second) == shared.present()
        shutil.rmtree(shared.place)
        fail_at += 2
    assert operations >= 8


class LateListing(LocalBackend):
    """A folder that claims to list as late as Swift may."""

    @property
    def listing_may_lag(self) -> bool:
        return True


def test_restic_prunes_between_our_two_phases(shared: Shared) -> None:
    shared.write("a", "b")
    first = shared.our_backup()
    shared.delete("b")
    second = shared.our_backup()
    shared.our_forget(first)
    late = open_repository(LateListing(shared.place), PASSWORD)

    waiting = prune_all(late).postponed.keys()
    assert waiting
    assert waiting <= shared.packs()
    assert shared.restores(second) == shared.present()

    shared.restic("prune")
    assert not waiting & shared.packs()
    shared.both_check()
    assert prune_all(late).is_empty
    assert shared.restores(second) == shared.present()
