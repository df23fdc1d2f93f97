"""The last line of the test command must never look better than the run was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tally import Tally, tally_of_check, tally_of_pytest

ONE_OF_EACH = """
import pytest

def test_good(): pass
def test_bad(): assert False

@pytest.mark.skip(reason="not here")
def test_left_out(): pass

@pytest.fixture
def broken(): raise RuntimeError("no set-up")
def test_never_started(broken): pass
"""


def run_pytest(folder: Path, code: str, *options: str) -> tuple[int, Path]:
    (folder / "test_sample.py").write_text(code)
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--rootdir={folder}", f"--junit-xml={report}"]
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options, "test_sample.py"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return ended.returncode, report


def test_each_outcome_is_counted_as_what_it_is(tmp_path: Path) -> None:
    assert tally_of_pytest(*run_pytest(tmp_path, ONE_OF_EACH)) == Tally(1, 2, 1)


def test_tests_that_cannot_be_collected_count_as_failed(tmp_path: Path) -> None:
    tally = tally_of_pytest(*run_pytest(tmp_path, "import no_such_module_anywhere"))
    assert tally.failed > 0


def test_a_pytest_that_died_counts_as_failed(tmp_path: Path) -> None:
    assert tally_of_pytest(3, tmp_path / "absent.xml") == Tally(failed=1)
    (tmp_path / "torn.xml").write_text("<testsuites><testsu")
    assert tally_of_pytest(-9, tmp_path / "torn.xml") == Tally(failed=1)


def test_outcomes_of_several_processes_add_up(tmp_path: Path) -> None:
    assert tally_of_pytest(*run_pytest(tmp_path, ONE_OF_EACH, "-n2")) == Tally(1, 2, 1)


def test_a_test_that_takes_its_process_with_it_counts_as_failed(tmp_path: Path) -> None:
    code = "import os\ndef test_good(): pass\ndef test_fatal(): os._exit(1)"
    assert tally_of_pytest(*run_pytest(tmp_path, code, "-n1")) == Tally(passed=1, failed=1)


def test_a_folder_without_tests_counts_as_nothing(tmp_path: Path) -> None:
    assert tally_of_pytest(*run_pytest(tmp_path, "")) == Tally()


def test_counts_add_up_to_one_plain_line() -> None:
    total = tally_of_check(0) + tally_of_check(1) + Tally(passed=3, skipped=2)
    assert str(total) == "4 passed, 1 failed, 2 skipped"


def test_skips_are_green_only_where_they_are_allowed() -> None:
    assert Tally(passed=1, skipped=1).is_green(skips_allowed=True)
    assert not Tally(passed=1, skipped=1).is_green(skips_allowed=False)


def test_a_run_that_showed_nothing_is_not_green() -> None:
    assert not Tally().is_green(skips_allowed=True)
    assert not Tally(passed=5, failed=1).is_green(skips_allowed=True)
