"""Sealed secrets open under their own key and context only; the key file is never replaced."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backup_agent.errors import IntegrityError, UsageError
from console_ui.keyfile import MasterKey, read_or_create
from console_ui.sealing import derive, seal, unseal

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def test_a_sealed_secret_opens_and_looks_different_each_time() -> None:
    first, second = (seal(b"a secret", context="totp:1") for _ in range(2))

    assert first != second
    assert b"secret" not in first
    assert unseal(first, context="totp:1") == b"a secret"


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    sealed = seal(b"a secret", context="totp:1")

    with pytest.raises(IntegrityError):
        unseal(sealed, context="totp:2")


@pytest.mark.parametrize("position", [0, 1, 13, -1])
def test_a_damaged_secret_does_not_open(position: int) -> None:
    sealed = bytearray(seal(b"a secret", context="x"))
    sealed[position] ^= 1

    with pytest.raises(IntegrityError):
        unseal(bytes(sealed), context="x")


def test_another_key_file_opens_nothing(settings: Settings) -> None:
    sealed = seal(b"a secret", context="x")

    settings.EVERBOOT_SEALING_KEY = derive(MasterKey(bytes(32)), "sealing")

    with pytest.raises(IntegrityError, match="key file"):
        unseal(sealed, context="x")


def test_the_key_file_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"

    key = read_or_create(path)

    assert len(key) == 32
    assert read_or_create(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "everboot console key 1\nAAAA\n", "x" * 80, "é"])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match="damaged"):
        read_or_create(path)
    assert path.read_text(encoding="utf-8") == content
