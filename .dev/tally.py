"""How the checks went: counts that add up, read from pytest's own report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

# Exit codes of pytest (its documentation, "Exit codes") that a report fully explains.
_ALL_PASSED = 0
_SOME_FAILED = 1
_NO_TESTS = 5


@dataclass(frozen=True)
class Tally:
    """Counts of tests; each of the static checks counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def is_green(self, *, skips_allowed: bool) -> bool:
        """A run in which nothing passed has shown nothing, so it is not green either."""
        return self.passed > 0 and self.failed == 0 and (skips_allowed or self.skipped == 0)


def tally_of_check(exit_code: int) -> Tally:
    return Tally(passed=1) if exit_code == 0 else Tally(failed=1)


def tally_of_pytest(exit_code: int, report: Path) -> Tally:
    """Read pytest's JUnit report.

    A pytest that died, or failed without a failed test to show for it, counts
    as one failure: the sum must never look better than the run was.
    """
    counted = _read_report(report)
    explained = {_ALL_PASSED, _NO_TESTS} if counted.failed == 0 else {_SOME_FAILED}
    return counted if exit_code in explained else counted + Tally(failed=1)


def _read_report(report: Path) -> Tally:
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))
    except (OSError, ET.ParseError):
        return Tally()
    return sum((_tally_of_case(case) for case in cases), Tally())


def _tally_of_case(case: ET.Element) -> Tally:
    if case.find("failure") is not None or case.find("error") is not None:
        return Tally(failed=1)
    return Tally(skipped=1) if case.find("skipped") is not None else Tally(passed=1)
