"""What the tests' own servers promise: they end with the tests, and say what is missing."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.servers import programs
from tests.servers.environments import cached
from tests.servers.process import Command, ServerFailedError, running
from tests.servers.programs import MissingProgramError, find_program

# A test run that starts a server, says which, and then does nothing but wait.
_TEST_RUN = """
from pathlib import Path
from tests.servers.process import running
with running(["sleep", "1000"], folder=Path(".")) as server:
    print(server.process.pid, flush=True)
    server.process.wait()
"""


def test_server_ends_when_its_tests_are_killed(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    command: Command = [sys.executable, "-c", _TEST_RUN]
    with running(command, folder=tmp_path, name="tests", environment={"PYTHONPATH": root}) as tests:
        tests.wait_until(lambda: tests.log.read_text().endswith("\n"))
        server = psutil.Process(int(tests.log.read_text()))
    # The block killed the tests without a chance to clean up; only the kernel is left to do it.
    # Where nobody collects orphans, an entry of the dead one stays for good.
    with suppress(psutil.TimeoutExpired):
        server.wait(timeout=5)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_server_ends_with_its_block(tmp_path: Path) -> None:
    with running(["sleep", "1000"], folder=tmp_path) as server:
        assert server.process.poll() is None
    assert server.process.returncode == -9


def test_server_that_does_not_start_fails_with_the_end_of_its_log(tmp_path: Path) -> None:
    command: Command = [sys.executable, "-c", "raise SystemExit('no port left')"]
    with (
        running(command, folder=tmp_path) as server,
        pytest.raises(ServerFailedError, match="no port left"),
    ):
        server.wait_until(lambda: False)


def test_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "which", lambda name, path=None: None)
    with pytest.raises(MissingProgramError, match="apt-get install ceph-base"):
        find_program("monmaptool")


def test_cached_folder_whose_building_broke_off_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERBOOT_CACHE", str(tmp_path))

    def break_off(folder: Path) -> None:
        (folder / "half").touch()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        cached("thing", "recipe", break_off)
    built = cached("thing", "recipe", lambda folder: (folder / "whole").touch())
    assert {path.name for path in built.iterdir()} == {"whole", "finished"}
    # Nothing is built a second time, but for another recipe.
    assert cached("thing", "recipe", break_off) == built
    assert cached("thing", "another recipe", lambda folder: None) != built
