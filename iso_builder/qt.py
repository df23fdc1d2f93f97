"""Qt for the window: PySide6's wheels, less all that the window never loads.

Of 249 MB a sixth stays. It is a list of what stays and not of what goes, so
that nothing comes along unnoticed with a new version. Qt and PySide6 are under
the LGPL: they are separate shared libraries, unchanged, and their licences
stay with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from backup_agent.errors import CommandFailedError
from backup_agent.model.cancel import CancelToken
from iso_builder.manifest import Package
from iso_builder.wheels import fetch_wheels, installed_package

_MODULES = ("Core", "Gui", "Widgets", "Svg", "SvgWidgets")

KEPT = (
    "PySide6/*.py",
    *(f"PySide6/Qt{module}.abi3.so" for module in _MODULES),
    "PySide6/libpyside6.*",
    "PySide6/support/*.py",
    *(f"PySide6/Qt/lib/libQt6{module}.so.*" for module in (*_MODULES, "DBus", "WaylandClient")),
    "PySide6/Qt/lib/libicu*",
    # cage is spoken to in Wayland; without a graphics driver Qt draws and listens by itself
    "PySide6/Qt/plugins/platforms/libqwayland.so",
    "PySide6/Qt/plugins/wayland-shell-integration/libxdg-shell.so",
    "PySide6/Qt/plugins/platforms/libqlinuxfb.so",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "PySide6/Qt/plugins/generic/libqevdev*.so",
    "PySide6/Qt/plugins/platforminputcontexts/libcompose*.so",
    "PySide6/Qt/plugins/imageformats/libqsvg.so",
    "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
    "shiboken6/*.py",
    "shiboken6/*.so",
    "shiboken6/libshiboken6.*",
    "*.dist-info/*",
    "*.dist-info/licenses/*",
)
"""Patterns below the folder of Python's packages; ``*`` does not go into subfolders."""


def qt_packages() -> tuple[Package, ...]:
    """As installed where the builder runs. Raises :class:`UnsupportedError` if they are not."""
    return (installed_package("pyside6-essentials"), installed_package("shiboken6"))


def lay_out_qt(packages: Iterable[Package], root: Path, *, cancel: CancelToken) -> None:
    """Raises :class:`CommandFailedError`, also where a version of Qt lacks what is to stay."""
    site = fetch_wheels(packages, root, cancel=cancel)
    leave_only(site, KEPT)


def leave_only(folder: Path, patterns: Iterable[str]) -> None:
    """Remove all files that match none of the patterns, and folders left empty.

    Raises :class:`CommandFailedError` when a pattern that names one file matches none.
    """
    kept: set[PurePath] = set()
    for pattern in patterns:
        found = set(folder.glob(pattern))
        if not found and "*" not in pattern:
            raise CommandFailedError(f"This version of Qt has no {pattern}.")
        kept |= found
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()
