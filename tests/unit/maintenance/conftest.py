from __future__ import annotations

from types import FunctionType
from typing import cast

import pytest

from backup_agent.repository.locks import RepositoryLock


@pytest.fixture(autouse=True)
def _impatient_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is there, so a lock need not wait for whoever writes one at the same moment."""
    defaults = cast("FunctionType", RepositoryLock.__init__).__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "settle_seconds", 0.0)
