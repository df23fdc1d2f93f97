"""``everboot iso`` as typed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from backup_agent.cli.options import add_common_options, common_options
from backup_agent.cli.session import Session
from backup_agent.errors import EverbootError, UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.media.slot import read_settings
from iso_builder import iso_command
from tests.helpers.small_medium import make_small_medium


def everboot_iso(*words: str | Path) -> int:
    """As the command line calls it: options may stand anywhere."""
    parser = argparse.ArgumentParser()
    add_common_options(parser, defaults=True)
    iso_command.add_arguments(parser)
    args = parser.parse_intermixed_args([str(word) for word in words])
    session = Session(environment={}, cancel=CancelToken(), options=common_options(args))
    return iso_command.run(args, session)


def test_a_prebuilt_image_is_personalised_without_any_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_small_medium(tmp_path)
    monkeypatch.setenv("PATH", "")
    output = tmp_path / "mine.iso"
    words = ("--console", "https://backup.example.org/", "--code", "aa11 bb22 cc33")
    assert everboot_iso("build", "-o", output, "--from", image, *words) == 0
    with output.open("rb") as file:
        settings = read_settings(file)
    assert settings.console == "https://backup.example.org"
    assert settings.code == "AA11-BB22-CC33"


def test_a_wrong_code_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="media code"):
        everboot_iso("build", "-o", tmp_path / "x.iso", "--code", "nonsense")
    assert not (tmp_path / "x.iso").exists()


@pytest.mark.parametrize("words", [("build",), ("write", "x.iso"), ("test",), ("test", "a", "b")])
def test_names_that_are_missing_or_too_many_are_told(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        everboot_iso(*words)


def test_a_file_is_not_taken_for_a_usb_key(tmp_path: Path) -> None:
    image = make_small_medium(tmp_path)
    target = tmp_path / "target"
    target.write_bytes(bytes(16 << 20))
    with pytest.raises(EverbootError):
        everboot_iso("write", image, target, "--yes")
    assert target.read_bytes() == bytes(16 << 20)
