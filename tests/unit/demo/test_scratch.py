"""The demo's folder is never somebody else's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from backup_agent.errors import TargetError, UnsupportedError, UsageError
from backup_agent.host import command
from backup_agent.services.demo.scratch import Scratch
from backup_agent.services.demo.tools import TOOLS, require_tools


def test_folder_that_holds_something_else_is_refused_even_with_again(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for again in (False, True):
        with pytest.raises(UsageError, match="not empty"):
            Scratch(tmp_path).prepare(again=again)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_earlier_demo_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "demo")
    scratch.prepare(again=False)
    old = scratch.password()
    scratch.documents.mkdir()
    (scratch.folder / "my notes.txt").touch()
    with pytest.raises(UsageError) as caught:
        scratch.prepare(again=False)
    assert "--again" in caught.value.hint
    assert scratch.password() == old
    scratch.prepare(again=True)
    assert scratch.password() != old
    assert not scratch.documents.exists()
    assert (scratch.folder / "my notes.txt").exists()


def test_password_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "demo")
    scratch.prepare(again=False)
    assert stat.S_IMODE(scratch.password_file.stat().st_mode) == 0o600


def test_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError) as caught:
        Scratch(tmp_path / "file" / "demo").prepare(again=False)
    assert "--folder" in caught.value.hint


def test_missing_programs_are_named_with_their_debian_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(command, "_SYSTEM_FOLDERS", ())
    with pytest.raises(UnsupportedError) as caught:
        require_tools()
    assert all(program in caught.value.message for program in TOOLS)
    assert caught.value.hint.endswith("dosfstools fdisk mtools ntfs-3g restic wimtools")


def test_setup_installs_what_the_demo_calls() -> None:
    from debian import DEMO_PACKAGES

    assert set(DEMO_PACKAGES) == set(TOOLS.values())
