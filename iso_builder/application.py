"""Our own code and the libraries it imports, laid out as they will stand on the medium.

Both go where Debian's Python looks for what is not Debian's. The libraries
are those of the environment that the builder runs in, in the same versions:
what was tested is what is on the medium.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from backup_agent import __version__
from backup_agent.errors import UnsupportedError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.config import MEDIUM, PYTHON
from iso_builder.manifest import Package

_PRODUCT = "everboot"
_SITE = Path("usr/local/lib") / f"python{PYTHON}" / "dist-packages"
_OWN_PACKAGES = ("backup_agent", "rescue_media")
# Wheels for these run on the medium's C library (2.41), the newest first.
PLATFORMS = (
    *("manylinux_2_39", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27"),
    *("manylinux_2_24", "manylinux_2_17", "manylinux2014", "linux"),
)
# botocore describes 400 services; the storage and its logins are these.
SERVICES = ("s3", "sts", "sso", "sso-oidc")
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")
_WINDOW = "#!/bin/sh\nexec everboot rescue\n"


def library_packages() -> tuple[Package, ...]:
    """What Everboot's engine needs, all the way down, as installed where the builder runs.

    Raises :class:`UnsupportedError` when Everboot or a library is not installed there.
    """
    found: dict[str, Package] = {}
    pending = [_PRODUCT]
    while pending:
        for name, is_conditional in _requirements(pending.pop()):
            if name in found:
                continue
            try:
                found[name] = Package(name, metadata.version(name), kind="pypi")
            except metadata.PackageNotFoundError as exc:
                if is_conditional:
                    # Meant for another system or another Python.
                    continue
                raise _not_installed(name) from exc
            pending.append(name)
    return tuple(found[name] for name in sorted(found))


def lay_out_libraries(packages: Iterable[Package], root: Path, *, cancel: CancelToken) -> None:
    """Fetch their wheels for the medium's Python. Raises :class:`CommandFailedError`."""
    site = root / _SITE
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
    _leave_out(site)


def lay_out_application(root: Path) -> None:
    """Our packages, the command, and how the medium's Debian is set up."""
    shutil.copytree(MEDIUM / "root", root, symlinks=True, dirs_exist_ok=True)
    site = root / _SITE
    for package in _OWN_PACKAGES:
        shutil.copytree(
            _package_folder(package), site / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    commands = _own_commands()
    _describe_product(site, commands)
    if any(name == "rescue" for name, _ in commands):
        window = root / "usr/lib/everboot/window"
        window.write_text(_WINDOW)
        window.chmod(0o755)
    _set_modes(root)


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
        hint="Install Everboot by pip, or personalise a prebuilt image: --from IMAGE.",
    )


def _digits(version: str) -> str:
    return version.replace(".", "")


def _leave_out(site: Path) -> None:
    for folder in (site / "botocore" / "data").iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    shutil.rmtree(site / "bin", ignore_errors=True)
    for record in site.glob("*.dist-info"):
        # Written at installation, with the order of the day.
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (record / name).unlink(missing_ok=True)


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _own_commands() -> list[tuple[str, str]]:
    """The commands (name, module) of the packages that are on the medium."""
    return [
        (entry.name, entry.value)
        for entry in metadata.distribution(_PRODUCT).entry_points
        if entry.group == "everboot.commands" and entry.value.split(".")[0] in _OWN_PACKAGES
    ]


def _describe_product(site: Path, commands: list[tuple[str, str]]) -> None:
    folder = site / f"{_PRODUCT}-{__version__}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {_PRODUCT}\nVersion: {__version__}\n"
    )
    lines = [f"{name} = {module}\n" for name, module in sorted(commands)]
    (folder / "entry_points.txt").write_text("[everboot.commands]\n" + "".join(lines))


def _set_modes(root: Path) -> None:
    """Independent of the umask of whoever checked the files out."""
    for path in root.rglob("*"):
        if path.is_symlink():
            continue
        runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
        path.chmod(0o755 if runs else 0o644)
