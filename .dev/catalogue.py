"""Renews the catalogues of the windows: finds what ``tr`` and ``trn`` are called with, keeps what
is translated, compiles. Needs GNU gettext. Afterwards fill in what stands empty, and run it again.

    python3 .dev/catalogue.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCALES = ROOT / "backup_agent" / "qtkit" / "locale"
SOURCES = ("backup_agent/gui", "backup_agent/qtkit")


def extract(template: Path) -> None:
    """Everything that is said, in one template; places by file, so that a line moved is no news."""
    files = sorted(
        str(file.relative_to(ROOT)) for folder in SOURCES for file in (ROOT / folder).rglob("*.py")
    )
    command = ["xgettext", "--language=Python", "--from-code=UTF-8", "--no-wrap"]
    command += ["--add-location=file", "--keyword=tr", "--keyword=trn:1,2"]
    _run([*command, f"--output={template}", *files])


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "everboot.pot"
        extract(template)
        for catalogue in sorted(LOCALES.glob("*/LC_MESSAGES/everboot.po")):
            merge = ["msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap", "--sort-output"]
            _run([*merge, "--update", "--backup=none", str(catalogue), str(template)])
            _run(["msgattrib", "--no-obsolete", "--no-wrap", "-o", str(catalogue), str(catalogue)])
            compiled = catalogue.with_suffix(".mo")
            _run(["msgfmt", "--check", f"--output-file={compiled}", str(catalogue)])
    return 0


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
