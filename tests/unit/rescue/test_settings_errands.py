"""Settings granted through programs that take the place of nmcli and timedatectl."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup_agent.errors import UsageError
from rescue_media.errands.settings import grant_setting, status
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w
from rescue_media.network.state import Link, LinkKind, LinkState

WIRED = Link("eth0", LinkKind.WIRED, LinkState.CONNECTED, "Wired")
_NMCLI = """#!/bin/sh
echo "nmcli $*" >> {log}
case "$*" in
*"device status"*) echo eth0:ethernet:connected:Wired ;;
*"device show"*) echo "IP4.ADDRESS[1]:192.0.2.7/24" ;;
esac
"""
_TIMEDATECTL = """#!/bin/sh
echo "timedatectl $*" >> {log}
[ "$1" != show ] || printf 'NTP=yes\\nNTPSynchronized=yes\\n'
"""


@pytest.fixture(name="told")
def _told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    log = tmp_path / "log"
    for name, text in (("nmcli", _NMCLI), ("timedatectl", _TIMEDATECTL)):
        (tmp_path / name).write_text(text.format(log=log))
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return log


@pytest.mark.usefixtures("told")
def test_the_status_tells_of_network_and_clock() -> None:
    found = status()
    assert found.network is not None
    assert found.network.is_connected
    assert found.clock is not None
    assert found.clock.synchronised


def test_without_the_programs_nothing_is_known_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = status()
    assert (found.network, found.clock) == (None, None)


def test_an_address_that_cannot_be_is_refused_before_anything_is_told(told: Path) -> None:
    with pytest.raises(UsageError):
        grant_setting(w.UseAddress(WIRED, "192.0.2.7", "", ""))
    assert not told.exists()


def test_address_and_clock_are_set_and_the_new_state_is_the_answer(told: Path) -> None:
    answer = grant_setting(w.UseAddress(WIRED, "192.0.2.7/24", "192.0.2.1", "192.0.2.1"))
    assert isinstance(answer, a.SettingMade)
    assert answer.status.network is not None
    grant_setting(w.SetTime(datetime(2026, 11, 16, 18, 4, tzinfo=UTC)))
    lines = told.read_text()
    assert "ipv4.addresses 192.0.2.7/24" in lines
    assert "timedatectl set-time 2026-11-16 18:04:00" in lines


@pytest.mark.usefixtures("told")
def test_a_proxy_is_used_by_this_process_until_it_is_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        # Set, so that it is put back as it was.
        monkeypatch.setenv(name, "")
    grant_setting(w.UseProxy("proxy.example.org:3128", "me", "p@ss"))
    assert os.environ["HTTPS_PROXY"] == "http://me:p%40ss@proxy.example.org:3128"
    grant_setting(w.UseProxy("", "", ""))
    assert "HTTPS_PROXY" not in os.environ
