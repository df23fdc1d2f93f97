"""Translating Python for the medium, so that no start has to.

Bytecode belongs to one version of Python, and the builder may run by another:
so the kit holds the medium's own, which runs here by the C library it was
linked with. It never looks at the source again (PEP 552, "unchecked"): what
lies on the medium does not change.
"""

from __future__ import annotations

from pathlib import Path

from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.wheels import SITE

OPTIONS = ("-q", "--invalidation-mode", "unchecked-hash")
_LOADER = "ld-linux-x86-64.so.2"


def translate(root: Path, kit: Path, *, cancel: CancelToken) -> None:
    """All Python below ``root`` that stands where the medium looks for it.

    Raises :class:`CommandFailedError`, also where a file is no valid Python.
    """
    python = kit / "python"
    libraries = python / "lib"
    run(
        [
            *(libraries / _LOADER, "--library-path", libraries, python / "python3"),
            *("-s", "-S", "-m", "compileall", *OPTIONS),
            # It is told where the files will be: tracebacks name their source.
            *("-s", root, "-p", "/", root / SITE),
        ],
        environment={
            "PYTHONHOME": str(python / "usr"),
            "PYTHONPATH": "",
            # Else sets of constants would come in any order.
            "PYTHONHASHSEED": "0",
        },
        cancel=cancel,
    )
