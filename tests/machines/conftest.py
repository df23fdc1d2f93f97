"""Rescue media, built once for all tests that start a machine from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.media import MediaSettings
from iso_builder.build import build
from iso_builder.config import BuildConfig
from tests.servers.environments import cache_folder

SETTINGS = MediaSettings("https://backup.example.org", "AA11-BB22-CC33")


@pytest.fixture(name="medium", scope="session")
def _medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian comes from this computer's archive the first time, then from the cache."""
    config = BuildConfig(
        output=tmp_path_factory.mktemp("medium") / "rescue.iso", cache=cache_folder()
    )
    return build(config, SETTINGS, emit=ignore, cancel=CancelToken()).file
