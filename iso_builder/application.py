"""Our own code and the libraries it imports, laid out as they will stand on the medium."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from backup_agent import __version__
from backup_agent.model.cancel import CancelToken
from iso_builder.config import MEDIUM
from iso_builder.manifest import Package
from iso_builder.wheels import SITE, fetch_wheels, required_by

_PRODUCT = "everboot"
_OWN_PACKAGES = ("backup_agent", "rescue_media")
# botocore describes 400 services; the storage and its logins are these.
SERVICES = ("s3", "sts", "sso", "sso-oidc")


def library_packages() -> tuple[Package, ...]:
    """What Everboot's engine needs. Raises :class:`UnsupportedError` as ``required_by`` does."""
    return required_by(_PRODUCT)


def lay_out_libraries(packages: Iterable[Package], root: Path, *, cancel: CancelToken) -> None:
    """Fetch their wheels for the medium's Python. Raises :class:`CommandFailedError`."""
    site = fetch_wheels(packages, root, cancel=cancel)
    for folder in (site / "botocore" / "data").iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    shutil.rmtree(site / "bin", ignore_errors=True)


def lay_out_application(root: Path) -> None:
    """Our packages, the command, and how the medium's Debian is set up."""
    shutil.copytree(MEDIUM / "root", root, symlinks=True, dirs_exist_ok=True)
    site = root / SITE
    for package in _OWN_PACKAGES:
        shutil.copytree(
            _package_folder(package), site / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    _describe_product(site)
    _set_modes(root)


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _describe_product(site: Path) -> None:
    """What Python's metadata say of it: its version, and its commands that are on the medium."""
    folder = site / f"{_PRODUCT}-{__version__}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {_PRODUCT}\nVersion: {__version__}\n"
    )
    lines = [
        f"{entry.name} = {entry.value}\n"
        for entry in metadata.distribution(_PRODUCT).entry_points
        if entry.group == "everboot.commands" and entry.value.split(".")[0] in _OWN_PACKAGES
    ]
    (folder / "entry_points.txt").write_text("[everboot.commands]\n" + "".join(sorted(lines)))


def _set_modes(root: Path) -> None:
    """Independent of the umask of whoever checked the files out."""
    for path in root.rglob("*"):
        if path.is_symlink():
            continue
        runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
        path.chmod(0o755 if runs else 0o644)
