"""Run in the new root: remove firmware that none of the modules left there asks for.

Standard input: the names that modules ask for, one a line, as modinfo tells them.
"""

import fnmatch
import sys
from pathlib import Path

FIRMWARE = Path("/usr/lib/firmware")

asked = set(sys.stdin.read().split())
plain = {name for name in asked if "*" not in name}
patterns = [*(name for name in asked if "*" in name), "regulatory.db*"]

kept: set[Path] = set()
for path in FIRMWARE.rglob("*"):
    if path.is_dir():
        continue
    name = path.relative_to(FIRMWARE).as_posix().removesuffix(".xz").removesuffix(".zst")
    if name in plain or any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
        # A name may be a link to what another name brought.
        kept.update((path, path.resolve()))
for path in list(FIRMWARE.rglob("*")):
    if not path.is_dir() and path not in kept:
        path.unlink()
