"""The virtual environment that Everboot's own commands run in, made and renewed by itself.

It lies outside the checkout: in ``$EVERBOOT_CACHE``, else ``~/.cache/everboot``.
Run as a script, this makes the full environment and prints the path of its
Python, so that ``$(python3 .dev/environment.py) -m pytest tests/unit`` works.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from debian import ensure_installed
from interpreter import NEWEST, OLDEST, Interpreter, find_interpreter

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / ".dev" / "constraints.txt"
PROJECT = ROOT / "pyproject.toml"


class Extent(Enum):
    """How much is installed; the value is what pip is asked for, below the checkout."""

    PRODUCT = ""
    DEVELOPMENT = "[dev]"


def prepare(extent: Extent) -> Path:
    """Return the folder of programs (``bin``) of an up-to-date environment.

    Takes well under a second where nothing has changed since the last time.
    """
    interpreter = _interpreter()
    ensure_installed(_packages_for(interpreter), purpose="the virtual environment")
    environment = _folder(interpreter)
    environment.parent.mkdir(parents=True, exist_ok=True)
    with _alone(environment):
        if not _is_ready(environment, extent):
            _make(environment, interpreter, extent)
    return environment / "bin"


def packages_for_environment() -> tuple[str, ...]:
    """The Debian packages that :func:`prepare` cannot do without here; mostly none."""
    return _packages_for(_interpreter())


def _packages_for(interpreter: Interpreter) -> tuple[str, ...]:
    major, minor, _ = interpreter.version
    return () if interpreter.has_ensurepip else (f"python{major}.{minor}-venv",)


def _interpreter() -> Interpreter:
    interpreter = find_interpreter()
    if interpreter is None:
        print(_no_interpreter(), file=sys.stderr)
        raise SystemExit(1)
    return interpreter


def _folder(interpreter: Interpreter) -> Path:
    """One folder for each checkout, Python and set of pins: none of them disturbs another."""
    identity = hashlib.sha256(CONSTRAINTS.read_bytes())
    identity.update(repr((interpreter.version, str(ROOT))).encode())
    cache = os.environ.get("EVERBOOT_CACHE") or Path.home() / ".cache" / "everboot"
    return Path(cache).absolute() / f"venv-{identity.hexdigest()[:16]}"


@contextmanager
def _alone(environment: Path) -> Iterator[None]:
    """Hold back a second command that was started while the first still installs."""
    with environment.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_ready(environment: Path, extent: Extent) -> bool:
    """Whether the note left by a finished installation covers what is asked for now.

    The Python is looked at too: an upgrade of the system can take it away.
    """
    try:
        installed, project = (environment / "ready").read_text().split("\n")
    except (OSError, ValueError):
        return False
    return (
        project == _digest(PROJECT)
        and installed in {extent.value, Extent.DEVELOPMENT.value}
        and (environment / "bin" / "python").exists()
    )


def _make(environment: Path, interpreter: Interpreter, extent: Extent) -> None:
    print(f"Preparing {environment} (the first time takes a minute or two)", file=sys.stderr)
    # The note goes first and comes back last: a set-up cut short is done again.
    (environment / "ready").unlink(missing_ok=True)
    _run(interpreter.path, "-m", "venv", "--clear", str(environment))
    _run(
        *(str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"),
        *("--disable-pip-version-check", "--constraint", str(CONSTRAINTS)),
        *("--editable", f"{ROOT}{extent.value}"),
    )
    (environment / "ready").write_text(f"{extent.value}\n{_digest(PROJECT)}")


def _run(*command: str) -> None:
    # Standard output belongs to whoever asked for the path.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        print(
            f"This failed: {' '.join(command)}\n"
            "Is there a network, and does `pip config list` name the package index you expect?",
            file=sys.stderr,
        )
        raise SystemExit(1)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _no_interpreter() -> str:
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
    return (
        f"Everboot needs Python {oldest} to {newest}; none is on the PATH"
        f" (this is {sys.version.split()[0]}).\n"
        "On Debian 12 or newer, ask your administrator to run:\n\n"
        "    apt-get install --no-install-recommends python3 python3-venv\n"
    )


if __name__ == "__main__":
    print(prepare(Extent.DEVELOPMENT) / "python")
