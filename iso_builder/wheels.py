"""Python packages for the medium: which versions, and fetched as wheels for its Python."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from backup_agent.errors import UnsupportedError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.config import PYTHON
from iso_builder.manifest import Package

SITE = Path("usr/local/lib") / f"python{PYTHON}" / "dist-packages"
"""Where Debian's Python looks for what is not Debian's."""

# Wheels for these run on the medium's C library (2.41), the newest first.
PLATFORMS = (
    *("manylinux_2_39", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27"),
    *("manylinux_2_24", "manylinux_2_17", "manylinux2014", "linux"),
)
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")


def installed_package(name: str) -> Package:
    """In the version installed where the builder runs: what was tested is what is on the medium.

    Raises :class:`UnsupportedError` when it is not installed there.
    """
    try:
        return Package(name, metadata.version(name), kind="pypi")
    except metadata.PackageNotFoundError as exc:
        raise _not_installed(name) from exc


def required_by(product: str) -> tuple[Package, ...]:
    """What it needs without extras, all the way down, in the versions installed here.

    Raises :class:`UnsupportedError` when it, or something it needs, is not installed.
    """
    found: dict[str, Package] = {}
    pending = [product]
    while pending:
        for name, is_conditional in _requirements(pending.pop()):
            if name in found:
                continue
            try:
                found[name] = installed_package(name)
            except UnsupportedError:
                if is_conditional:
                    # Meant for another system or another Python.
                    continue
                raise
            pending.append(name)
    return tuple(found[name] for name in sorted(found))


def fetch_wheels(packages: Iterable[Package], root: Path, *, cancel: CancelToken) -> Path:
    """Unpack their wheels below ``root``; returns the folder.

    Raises :class:`CommandFailedError`.
    """
    site = root / SITE
    site.mkdir(parents=True)
    platforms = (f"--platform={name}_x86_64" for name in PLATFORMS)
    run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-compile", "--only-binary=:all:", "--target", site),
            *(f"--python-version={PYTHON}", "--implementation=cp", f"--abi=cp{_digits(PYTHON)}"),
            *("--abi=abi3", "--abi=none", *platforms),
            *(f"{package.name}=={package.version}" for package in packages),
        ],
        cancel=cancel,
    )
    for record in site.glob("*.dist-info"):
        # Written at installation, with the order of the day.
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (record / name).unlink(missing_ok=True)
    return site


def _requirements(name: str) -> Iterator[tuple[str, bool]]:
    """The names it requires without extras, and whether only under some condition."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError as exc:
        raise _not_installed(name) from exc
    for line in lines:
        requirement, _, condition = line.partition(";")
        if "extra ==" not in condition and (match := _REQUIREMENT.match(requirement)):
            yield re.sub(r"[-_.]+", "-", match["name"]).lower(), bool(condition)


def _not_installed(name: str) -> UnsupportedError:
    return UnsupportedError(
        f"The Python package {name} is not installed here, so its version is unknown.",
        hint="Install everboot[gui] by pip, or personalise a prebuilt image: --from IMAGE.",
    )


def _digits(version: str) -> str:
    return version.replace(".", "")
