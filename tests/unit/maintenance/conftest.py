from __future__ import annotations

import pytest

from .workshop import make_locks_impatient


@pytest.fixture(autouse=True)
def _impatient_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    make_locks_impatient(monkeypatch)
