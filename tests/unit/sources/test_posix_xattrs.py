"""Attributes that vanish or cannot be read while a backup looks at them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from backup_agent.sources import posix


def test_an_attribute_that_vanishes_meanwhile_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getxattr(_path: bytes, name: str, *, follow_symlinks: bool) -> bytes:
        if name == "user.gone":
            raise OSError(errno.ENODATA, "No data available")
        return b"value"

    monkeypatch.setattr(os, "listxattr", lambda _path, follow_symlinks: ["user.gone", "user.here"])
    monkeypatch.setattr(os, "getxattr", getxattr)
    found = posix.read_xattrs(os.fsencode(tmp_path))
    assert [(x.name, x.value) for x in found] == [("user.here", b"value")]
