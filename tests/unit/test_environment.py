"""The set-up of the README's commands: what is asked for, what is done again and when."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import debian
import environment
import pytest
from environment import Extent
from interpreter import find_interpreter


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like an environment, with a project file of its own beside it."""
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]")
    monkeypatch.setattr(environment, "PROJECT", project)
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def note(folder: Path, extent: Extent) -> None:
    (folder / "ready").write_text(f"{extent.value}\n{environment._digest(environment.PROJECT)}")


def test_an_environment_for_tests_serves_the_demo_but_not_the_reverse(finished: Path) -> None:
    note(finished, Extent.DEVELOPMENT)
    assert environment._is_ready(finished, Extent.PRODUCT)
    assert environment._is_ready(finished, Extent.DEVELOPMENT)
    note(finished, Extent.PRODUCT)
    assert environment._is_ready(finished, Extent.PRODUCT)
    assert not environment._is_ready(finished, Extent.DEVELOPMENT)


def test_an_installation_cut_short_is_not_ready(finished: Path) -> None:
    assert not environment._is_ready(finished, Extent.PRODUCT)


def test_a_changed_project_file_means_installing_again(finished: Path) -> None:
    note(finished, Extent.DEVELOPMENT)
    environment.PROJECT.write_text("[project]\ndependencies = []")
    assert not environment._is_ready(finished, Extent.DEVELOPMENT)


def test_a_python_that_was_taken_away_means_installing_again(finished: Path) -> None:
    note(finished, Extent.PRODUCT)
    (finished / "bin" / "python").unlink()
    (finished / "bin" / "python").symlink_to(finished / "gone")
    assert not environment._is_ready(finished, Extent.PRODUCT)


def test_other_pins_get_another_environment_outside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = find_interpreter()
    assert interpreter is not None
    monkeypatch.setenv("EVERBOOT_CACHE", str(tmp_path / "cache"))
    before = environment._folder(interpreter)
    assert before.parent == tmp_path / "cache"
    other_pins = tmp_path / "constraints.txt"
    other_pins.write_text("msgspec==0.0.1")
    monkeypatch.setattr(environment, "CONSTRAINTS", other_pins)
    assert environment._folder(interpreter) != before


@pytest.fixture
def only_fdisk_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian on which dpkg knows one package, seen by somebody who is not root."""
    query = tmp_path / "dpkg-query"
    query.write_text('#!/bin/sh\nfor p; do :; done\n[ "$p" = fdisk ] && printf installed\n')
    query.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("only_fdisk_installed")
def test_without_root_the_missing_packages_are_named_and_the_command_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        debian.ensure_installed(("fdisk", "gdisk", "acl"), purpose="the test suite")
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "apt-get install --no-install-recommends gdisk acl\n" in told
    assert told.startswith("The test suite needs")


@pytest.mark.usefixtures("only_fdisk_installed")
def test_nothing_is_asked_for_where_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    debian.ensure_installed(("fdisk",), purpose="the test suite")
    debian.ensure_installed((), purpose="the demo")
    assert capsys.readouterr() == ("", "")
