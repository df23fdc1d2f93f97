"""What of Qt comes onto the medium."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError, UnsupportedError
from iso_builder.qt import KEPT, leave_only, qt_packages
from iso_builder.wheels import installed_package, required_by


def test_only_what_is_named_stays(tmp_path: Path) -> None:
    for name in ("a/kept.so", "a/gone.so", "b/gone.so", "a/deep/kept.so"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    leave_only(tmp_path, ("a/kept.*", "a/deep/kept.so"))
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["a", "a/deep", "a/deep/kept.so", "a/kept.so"]


def test_a_version_of_qt_that_lacks_what_is_needed_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"no PySide6/plugin\.so"):
        leave_only(tmp_path, ("PySide6/plugin.so",))


def test_the_installed_qt_has_all_that_the_window_is_shown_by() -> None:
    files = {str(file) for file in metadata.files("PySide6_Essentials") or ()}
    exact = {name for name in KEPT if "*" not in name}
    assert exact
    assert exact <= files


def test_qt_comes_in_the_versions_that_are_installed_here() -> None:
    versions = {package.name: package.version for package in qt_packages()}
    assert versions["shiboken6"] == metadata.version("shiboken6")
    assert versions["pyside6-essentials"] == metadata.version("PySide6_Essentials")


def test_what_is_not_installed_here_is_named_with_a_way_out() -> None:
    with pytest.raises(UnsupportedError, match="no-such-thing") as caught:
        installed_package("no-such-thing")
    assert "--from" in caught.value.hint


def test_a_package_brings_what_it_requires_all_the_way_down() -> None:
    names = {package.name for package in required_by("httpx")}
    assert {"httpcore", "h11"} <= names
