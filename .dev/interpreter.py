"""Which Python runs Everboot: 3.11 to 3.13, whatever ``python3`` happens to be."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass

OLDEST = (3, 11)
NEWEST = (3, 13)

_INTRODUCE_YOURSELF = """
import importlib.util, json, sys
print(json.dumps([list(sys.version_info[:3]), importlib.util.find_spec("ensurepip") is not None]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python on this computer. ``has_ensurepip``: it can make a virtual environment."""

    path: str
    version: tuple[int, int, int]
    has_ensurepip: bool

    @property
    def fits(self) -> bool:
        return OLDEST <= self.version[:2] <= NEWEST


def find_interpreter() -> Interpreter | None:
    """The one that runs this script if it fits, else the newest on the PATH that does."""
    this = Interpreter(
        sys.executable,
        sys.version_info[:3],
        importlib.util.find_spec("ensurepip") is not None,
    )
    if this.fits:
        return this
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        other = _ask(found) if found else None
        if other and other.fits:
            return other
    return None


def _ask(path: str) -> Interpreter | None:
    """Run it once: a file of that name on the PATH may be a shim with nothing behind it."""
    answer = subprocess.run(
        [path, "-c", _INTRODUCE_YOURSELF], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        return None
    (major, minor, micro), has_ensurepip = json.loads(answer.stdout)
    return Interpreter(path, (major, minor, micro), has_ensurepip)
