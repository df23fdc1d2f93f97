"""What tests of the agent share."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.crypto.password import ScryptParameters
from backup_agent.repository import keys, repository
from tests.unit.agent.workplace import Workplace


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that cost nothing to guess: nobody's secrets are here, and each costs a second."""
    weak = ScryptParameters(n=2, r=8, p=1)
    for function in (repository.create_repository, keys.add_key):
        monkeypatch.setitem(function.__kwdefaults__ or {}, "parameters", weak)


@pytest.fixture
def place(tmp_path: Path, quick_keys: None) -> Workplace:
    return Workplace(tmp_path)
