"""The same policy on the same restore points: restic's answer and ours."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backup_agent.model.duration import Duration
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import UNLIMITED, ForgetPlan, RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from tests.points import PASSWORD
from tests.restic import Restic, restic_client

# Hours east of UTC. Go knows zones by their files only, and POSIX turns the sign round.
ZONES = {"UTC": 0, "Etc/GMT-9": 9, "Etc/GMT+5": -5}
RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
POINTS = 50


class ResticInZones:
    """One repository and the real program, run by people in several time zones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RESTIC_REPOSITORY": str(folder / "repository"),
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": str(folder / "cache"),
        }

    def run(self, *arguments: str, zone: str = "UTC") -> str:
        done = subprocess.run(
            [restic_client(), *arguments],
            env={**self.environment, "TZ": zone},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def version(self) -> tuple[int, int]:
        found = re.match(r"restic (\d+)\.(\d+)", self.run("version"))
        assert found
        return int(found[1]), int(found[2])


@pytest.fixture(scope="module")
def restic(tmp_path_factory: pytest.TempPathFactory) -> ResticInZones:
    """A repository with restore points over years, dense in some hours, from three time zones."""
    restic = ResticInZones(tmp_path_factory.mktemp("restic"))
    Restic(restic.folder / "repository").init()
    for name in ("a", "b"):
        (restic.folder / name).write_text(name)
    chance = random.Random(20_240_229)
    moment = datetime(2019, 11, 28, 21, 40, tzinfo=UTC)
    for _ in range(POINTS):
        gaps = (timedelta(minutes=17), timedelta(hours=5), timedelta(days=3), timedelta(days=70))
        moment += chance.choice(gaps) * (1 + chance.random())
        zone = chance.choice(list(ZONES))
        local = moment + timedelta(hours=ZONES[zone])
        tags = chance.choice(["", "one", "two", "one,two"])
        restic.run(
            "backup",
            "-q",
            "--force",
            *("--time", local.strftime("%Y-%m-%d %H:%M:%S")),
            *("--host", chance.choice(["desk", "desk", "lap"])),
            *(["--tag", tags] if tags else []),
            *chance.choice([["a"], ["a"], ["b", "a"]]),
            zone=zone,
        )
    return restic


@pytest.fixture(scope="module")
def points(restic: ResticInZones) -> list[Snapshot]:
    return [
        Snapshot(
            id=SnapshotId(record["id"]),
            time=datetime.fromisoformat(record["time"]),
            tree=BlobId(bytes.fromhex(record["tree"])),
            paths=tuple(record["paths"]),
            hostname=record["hostname"],
            tags=tuple(record.get("tags") or ()),
        )
        for record in json.loads(restic.run("snapshots", "--json"))
    ]


def random_policy(chance: random.Random) -> RetentionPolicy:
    counts: dict[str, Any] = {
        rule: chance.randint(1, 9) for rule in chance.sample(RULES, chance.randint(0, 4))
    }
    within = Duration(chance.randint(0, 2), chance.randint(0, 12), chance.randint(1, 40), 7)
    lists = [("one",), ("one", "two"), ("",), ("two",)]
    policy = RetentionPolicy(
        **counts,
        within=within if chance.random() < 0.4 else None,
        tags=tuple(chance.sample(lists, chance.randint(1, 2))) if chance.random() < 0.3 else (),
    )
    return random_policy(chance) if policy.is_empty else policy


def as_arguments(policy: RetentionPolicy) -> list[str]:
    arguments = []
    for rule in RULES:
        if count := getattr(policy, rule):
            arguments += [f"--keep-{rule}", "unlimited" if count == UNLIMITED else str(count)]
    if policy.within:
        arguments += ["--keep-within", str(policy.within)]
    for tags in policy.tags:
        arguments += ["--keep-tag", ",".join(tags)]
    return arguments


def restic_keeps(restic: ResticInZones, policy: RetentionPolicy) -> dict[str, list[str]]:
    """Ids of what restic keeps, and why."""
    output = restic.run("forget", "--dry-run", "--json", *as_arguments(policy))
    kept: dict[str, list[str]] = {}
    for group in json.loads(output.splitlines()[0]):
        for snapshot, reason in zip(group["keep"], group["reasons"], strict=True):
            assert snapshot["time"] == reason["snapshot"]["time"]
            kept[snapshot["id"]] = reason["matches"]
    return kept


def we_keep(plan: ForgetPlan, *, version: tuple[int, int]) -> dict[str, list[str]]:
    """The same of ours, as restic of that version would have it.

    Before 0.16 restic did not keep the oldest snapshot additionally; later it
    did, and from 0.17 on it says so.
    """
    kept = {keep.snapshot.id: list(keep.reasons) for keep in plan.keep}
    if version < (0, 16):
        kept = {i: [r for r in reasons if "oldest" not in r] for i, reasons in kept.items()}
    elif version < (0, 17):
        kept = {i: [r.removeprefix("oldest ") for r in reasons] for i, reasons in kept.items()}
    return {snapshot_id: reasons for snapshot_id, reasons in kept.items() if reasons}


@pytest.mark.parametrize("seed", range(15))
def test_we_keep_what_restic_keeps_and_for_its_reasons(
    restic: ResticInZones, points: list[Snapshot], seed: int
) -> None:
    policy = random_policy(random.Random(seed))
    plan = plan_forget(points, policy, now=datetime.now(UTC))
    assert we_keep(plan, version=restic.version) == restic_keeps(restic, policy)


def test_unlimited_means_the_same(restic: ResticInZones, points: list[Snapshot]) -> None:
    policy = RetentionPolicy(daily=UNLIMITED, monthly=3)
    plan = plan_forget(points, policy, now=datetime.now(UTC))
    # Before 0.16 restic had no word for it: there as many as there are points must do.
    knows_it = restic.version >= (0, 16)
    asked = policy if knows_it else replace(policy, daily=POINTS)
    assert we_keep(plan, version=restic.version) == restic_keeps(restic, asked)


def test_the_points_are_varied_enough_to_prove_something(points: list[Snapshot]) -> None:
    assert len(points) == POINTS
    assert len({point.time.utcoffset() for point in points}) == len(ZONES)
    local_days = {point.time.date() for point in points}
    utc_days = {point.time.astimezone(UTC).date() for point in points}
    assert local_days != utc_days
    assert len(utc_days) < POINTS
