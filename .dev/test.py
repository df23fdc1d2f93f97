"""Check everything, from quick to slow: ``python3 .dev/test.py [--full] [PYTEST OPTIONS]``.

Does all set-up that is missing. The last line counts what passed, failed and
was skipped; on CI (``CI=true``) a skipped test counts against the run. Options
of pytest come after ours and win: ``-n 0`` runs all tests in one process, for a debugger.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from debian import TEST_PACKAGES, ensure_installed
from environment import ROOT, Extent, packages_for_environment, prepare
from stopwatch import Stopwatch
from tally import Tally, tally_of_check, tally_of_pytest

CHECKS = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "lint-imports": ("lint-imports", "--no-logo"),
    "mypy": ("mypy",),
}
QUICK_TO_SLOW = ("unit", "property", "contract", "integration")
# Two processes share a folder's tests. By file, where a file's tests share what takes long to
# make; else by halves, and who is done first takes over some of the other's.
SHARED_BY = {
    "unit": "worksteal",
    "property": "worksteal",
    "contract": "loadfile",
    "integration": "loadfile",
    "console": "worksteal",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run all checks and tests.")
    parser.add_argument("--full", action="store_true", help="the slow stories too (marked full)")
    options, pytest_options = parser.parse_known_args()
    # All packages in one breath: nobody likes to call an administrator twice.
    ensure_installed((*packages_for_environment(), *TEST_PACKAGES), purpose="the test suite")
    programs = prepare(Extent.DEVELOPMENT)
    if not options.full:
        pytest_options += ["-m", "not full"]

    stopwatch = Stopwatch()
    total = Tally()
    for name, command in CHECKS.items():
        with stopwatch.timing(name):
            total += _check(name, programs, command)
    for folder in _test_folders():
        name = f"pytest {folder.relative_to(ROOT)}"
        with stopwatch.timing(name):
            total += _pytest(name, folder, programs, pytest_options)
    if not options.full:
        print("\nTests marked full were left out (deselected, above); --full runs them.")
    print(f"\n{stopwatch}")
    print(total)
    return 0 if total.is_green(skips_allowed=os.environ.get("CI") != "true") else 1


def _test_folders() -> list[Path]:
    """The known ones first, in their order, then any other, so that none is ever forgotten."""
    known = [ROOT / "tests" / name for name in QUICK_TO_SLOW]
    found = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").rglob("test_*.py")}
    others = [ROOT / "tests" / name for name in sorted(found - set(QUICK_TO_SLOW))]
    return [*known, *others]


def _check(name: str, programs: Path, command: tuple[str, ...]) -> Tally:
    return tally_of_check(_run(name, programs, command))


def _pytest(name: str, folder: Path, programs: Path, options: list[str]) -> Tally:
    with tempfile.TemporaryDirectory(prefix="everboot-test-") as scratch:
        report = Path(scratch) / "report.xml"
        command = ("python", "-m", "pytest", "--quiet", f"--junit-xml={report}", str(folder))
        exit_code = _run(name, programs, (*command, *_sharing(folder.name), *options))
        return tally_of_pytest(exit_code, report)


def _sharing(folder: str) -> tuple[str, ...]:
    """Options of pytest-xdist; none where the tests need the computer for themselves."""
    if folder not in SHARED_BY:
        return ()
    # Files in their order, which begins with those that take long; xdist would sort by count.
    return ("--numprocesses=2", f"--dist={SHARED_BY[folder]}", "--no-loadscope-reorder")


def _run(name: str, programs: Path, command: tuple[str, ...]) -> int:
    """Run a program of the environment under a heading; returns its exit code."""
    print(f"\n== {name}", flush=True)
    program, *arguments = command
    # Tests and tools find the environment's programs by name, as after `activate`.
    search_path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return subprocess.run(
        [programs / program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": search_path},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
