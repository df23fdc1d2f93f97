"""Setting the clock, seen from a timedatectl that only remembers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from rescue_media.clock.setting import set_by_hand, set_by_network
from tests.helpers.recorded_programs import RecordedPrograms


def test_a_time_by_hand_is_told_in_utc_and_ends_asking_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = RecordedPrograms(tmp_path, monkeypatch, ["timedatectl"])
    set_by_hand(datetime(2026, 5, 4, 12, 30, tzinfo=timezone(timedelta(hours=2))))
    assert programs.calls() == [
        "timedatectl set-ntp false",
        "timedatectl set-time 2026-05-04 10:30:00",
    ]


def test_the_network_can_be_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = RecordedPrograms(tmp_path, monkeypatch, ["timedatectl"])
    set_by_network()
    assert programs.calls() == ["timedatectl set-ntp true"]
