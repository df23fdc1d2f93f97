"""Check everything, from quick to slow: ``python3 .dev/test.py [--full] [PYTEST OPTIONS]``.

Does all set-up that is missing. The last line counts what passed, failed and
was skipped; on CI (``CI=true``) a skipped test counts against the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from debian import TEST_PACKAGES, ensure_installed
from environment import ROOT, Extent, packages_for_environment, prepare
from tally import Tally, tally_of_check, tally_of_pytest

CHECKS = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "lint-imports": ("lint-imports", "--no-logo"),
    "mypy": ("mypy",),
}
QUICK_TO_SLOW = ("unit", "property", "contract", "integration")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run all checks and tests.")
    parser.add_argument("--full", action="store_true", help="the slow stories too (marked full)")
    options, pytest_options = parser.parse_known_args()
    # All packages in one breath: nobody likes to call an administrator twice.
    ensure_installed((*packages_for_environment(), *TEST_PACKAGES), purpose="the test suite")
    programs = prepare(Extent.DEVELOPMENT)
    if not options.full:
        pytest_options += ["-m", "not full"]

    started = time.monotonic()
    total = Tally()
    for name, command in CHECKS.items():
        total += _check(name, programs, command)
    for folder in _test_folders():
        total += _pytest(folder, programs, pytest_options)
    if not options.full:
        print("\nTests marked full were left out (deselected, above); --full runs them.")
    print(f"Everything took {time.monotonic() - started:.0f} s.")
    print(total)
    return 0 if total.is_green(skips_allowed=os.environ.get("CI") != "true") else 1


def _test_folders() -> list[Path]:
    """The known ones first, in their order, then any other, so that none is ever forgotten."""
    known = [ROOT / "tests" / name for name in QUICK_TO_SLOW]
    found = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").rglob("test_*.py")}
    others = [ROOT / "tests" / name for name in sorted(found - set(QUICK_TO_SLOW))]
    return [*known, *others]


def _check(name: str, programs: Path, command: tuple[str, ...]) -> Tally:
    return tally_of_check(_timed(name, programs, command))


def _pytest(folder: Path, programs: Path, options: list[str]) -> Tally:
    with tempfile.TemporaryDirectory(prefix="everboot-test-") as scratch:
        report = Path(scratch) / "report.xml"
        name = f"pytest {folder.relative_to(ROOT)}"
        command = ("python", "-m", "pytest", "--quiet", f"--junit-xml={report}", str(folder))
        return tally_of_pytest(_timed(name, programs, (*command, *options)), report)


def _timed(name: str, programs: Path, command: tuple[str, ...]) -> int:
    """Run a program of the environment under a heading; returns its exit code."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    program, *arguments = command
    # Tests and tools find the environment's programs by name, as after `activate`.
    search_path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    exit_code = subprocess.run(
        [programs / program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": search_path},
        check=False,
    ).returncode
    print(f"-- {name}: {time.monotonic() - started:.1f} s", flush=True)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
