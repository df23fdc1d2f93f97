"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.points import make_new_keys_weak

# No test depends on how quick a machine is, or on what else it has to do.
settings.register_profile(
    "patient",
    parent=settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")


@pytest.fixture
def weak_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that make keys by commands of ours and are not about guessing."""
    make_new_keys_weak(monkeypatch)
