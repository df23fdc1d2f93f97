"""The clock, named where it is why something failed."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.errors import StorageError, UsageError
from rescue_media.clock.blame import clock_error, clock_to_blame
from rescue_media.clock.setting import ClockState, parse_state, set_by_hand

EMPTY_BATTERY = datetime(2015, 1, 1, 12, 30, tzinfo=UTC)
TODAY = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def _certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


def _caused_by(cause: BaseException) -> StorageError:
    error = StorageError("The storage could not be reached.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("code", [9, 10])
def test_a_certificate_of_another_time_is_the_clocks_fault(code: int) -> None:
    words = clock_to_blame(_caused_by(_certificate_error(code)), EMPTY_BATTERY)
    assert "01 January 2015" in words
    assert "wrong" in words


def test_with_a_likely_clock_both_causes_are_named() -> None:
    words = clock_to_blame(_caused_by(_certificate_error(10)), TODAY)
    assert "If that is wrong" in words
    assert "certificate" in words


def test_a_signature_out_of_time_is_the_clocks_fault() -> None:
    error = _caused_by(OSError("An error occurred (RequestTimeTooSkewed) when calling Put"))
    assert clock_to_blame(error, EMPTY_BATTERY)


@pytest.mark.parametrize(
    "error", [_certificate_error(18), OSError("Connection refused"), StorageError("Wrong key")]
)
def test_other_failures_are_not_the_clocks_fault(error: BaseException) -> None:
    assert clock_to_blame(_caused_by(error), EMPTY_BATTERY) == ""


def test_a_servers_date_tells_how_far_the_clock_is_ahead() -> None:
    header = "Mon, 04 May 2026 11:30:00 GMT"
    assert clock_error(header, TODAY) == timedelta(hours=1)
    assert clock_error(header, TODAY - timedelta(minutes=58)) is None
    assert clock_error("yesterday", TODAY) is None


def test_the_state_is_read_as_timedatectl_tells_it() -> None:
    text = "Timezone=UTC\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized=no\n"
    assert parse_state(text) == ClockState(synchronised=False, by_network=True)


@pytest.mark.parametrize("moment", [EMPTY_BATTERY, datetime(2100, 1, 1, tzinfo=UTC)])
def test_a_time_that_cannot_be_is_refused_before_anything_is_set(moment: datetime) -> None:
    with pytest.raises(UsageError):
        set_by_hand(moment)
