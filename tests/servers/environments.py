"""Virtual environments for servers that come from PyPI, built once and kept in a cache.

They lie outside the tree and apart from the product's own environment, whose
versions they must not bend.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.servers.process import Command, run

_INSTALL_SECONDS = 900.0


def environment(name: str) -> Path:
    """The ``bin`` folder of an environment with everything in ``NAME.txt`` installed."""
    requirements = Path(__file__).with_name(f"{name}.txt")

    def build(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder], folder=folder)
        pip: Command = [folder / "bin" / "pip", "--disable-pip-version-check", "install", "--quiet"]
        run(
            [*pip, "--requirement", requirements],
            folder=folder,
            timeout_seconds=_INSTALL_SECONDS,
        )

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return cached(name, f"{version}\n{requirements.read_text()}", build) / "bin"


def cached(name: str, recipe: str, build: Callable[[Path], None]) -> Path:
    """The folder that ``build`` filled, now or in an earlier run; a new ``recipe``, a new folder.

    An environment knows its own path, so it is built in place and not renamed
    into place. A mark written last tells a finished folder from one whose
    building was interrupted; a lock keeps a second run waiting meanwhile.
    """
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    folder = cache_folder() / f"{name}-{digest}"
    finished = folder / "finished"
    if finished.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder


def cache_folder() -> Path:
    return Path(os.environ.get("EVERBOOT_CACHE") or Path.home() / ".cache" / "everboot")
