"""A console and a browser for each test; the console's command is started for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.running import RunningConsole, running_console
from tests.e2e.browser import Browser, browser
from tests.e2e.office import Office, running_office


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    with running_console(tmp_path) as running:
        yield running


@pytest.fixture
def mira(tmp_path: Path) -> Iterator[Browser]:
    """The owner's browser; at the end it must have nothing to complain of."""
    with browser(tmp_path / "chromium") as made:
        yield made
        assert made.complaints() == []


@pytest.fixture(scope="session")
def whole_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running_office(tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture
def office(whole_office: Office) -> Iterator[Office]:
    """One console and one browser for all tests that only look, or add to what is there."""
    yield whole_office
    assert whole_office.browser.complaints() == []
