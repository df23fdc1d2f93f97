"""Stock restic, as a second opinion. ``RESTIC=/path/to/restic`` picks another version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backup_agent.repository.keys import add_key, remove_key
from backup_agent.repository.repository import open_repository
from backup_agent.storage.local import LocalBackend
from tests.points import PASSWORD, WEAK

TIME_ZONE = "UTC"
"""restic writes times in the local zone; ours are the same bytes in UTC."""


@dataclass(frozen=True, slots=True)
class Restic:
    """Runs commands on one repository in a folder."""

    repository: Path

    def __call__(self, *arguments: str | bytes, fails: bool = False) -> str:
        """What the command prints; it has to succeed, or with ``fails`` to fail."""
        # Not in /tmp: its time would change in every tree that lies there.
        temporary = self.repository / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        command = [restic_client(), "--repo", str(self.repository), "--no-cache", *arguments]
        done = subprocess.run(
            command,
            env=os.environ
            | {"RESTIC_PASSWORD": PASSWORD, "TZ": TIME_ZONE, "TMPDIR": str(temporary)},
            capture_output=True,
            timeout=120,
            check=False,
        )
        output = done.stdout.decode("utf-8", "surrogateescape")
        errors = done.stderr.decode("utf-8", "backslashreplace")
        assert (done.returncode != 0) == fails, f"restic {arguments}: {errors}{output}"
        return output if not fails else errors

    def init(self, *, version: int = 2) -> None:
        """Make a repository as restic does (once for all tests; then copies of it)."""
        for path, data in files_of_init(version).items():
            file = self.repository / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        LocalBackend(self.repository).prepare()

    def json(self, *arguments: str) -> Any:
        """The one JSON document a command prints with ``--json``."""
        return json.loads(self(*arguments, "--json"))

    def check(self) -> None:
        """Every byte of the repository, and every structure."""
        assert "no errors were found" in self("check", "--read-data")

    def snapshot_ids(self) -> list[str]:
        return [snapshot["id"] for snapshot in self.json("snapshots") or []]

    def restore(self, snapshot: str, target: Path) -> None:
        self("restore", snapshot, "--target", str(target))

    def diff(self, first: str, second: str) -> Sequence[dict[str, Any]]:
        """The lines of a diff, the last one its statistics."""
        return [json.loads(line) for line in self("diff", "--json", first, second).splitlines()]

    def blobs(self) -> set[str]:
        """The ids of all blobs in the indexes."""
        found: set[str] = set()
        for line in self("list", "blobs").splitlines():
            found.add(line.split()[-1])
        return found


@cache
def files_of_init(version: int) -> dict[str, bytes]:
    """What ``restic init`` makes for ``PASSWORD``, by path; the key made cheap, or each command
    would take half a second longer.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        backend = LocalBackend(place)
        Restic(place)("init", "--repository-version", str(version))
        repository = open_repository(backend, PASSWORD)
        add_key(backend, repository.master, PASSWORD, parameters=WEAK)
        remove_key(backend, repository.key_name, in_use="")
        files = [path for path in place.rglob("*") if path.is_file()]
        return {str(path.relative_to(place)): path.read_bytes() for path in files}


def restic_client() -> str:
    wanted = os.environ.get("RESTIC", "restic")
    path = shutil.which(wanted)
    if path is None:
        pytest.fail(
            f"These tests compare with stock restic, and {wanted!r} is not there. "
            "Debian: apt-get install restic; or name a client by RESTIC=/path/to/restic."
        )
    return path
