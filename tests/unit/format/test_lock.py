"""Lock files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.lock import Lock, ProcessMark, decode_lock, encode_lock

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
locks = st.builds(
    Lock,
    time=st.datetimes(timezones=zones),
    exclusive=st.booleans(),
    hostname=st.text(alphabet=st.characters(codec="utf-8")),
    username=st.text(alphabet=st.characters(codec="utf-8")),
    pid=st.integers(0, 1 << 40),
    uid=st.integers(0, 1 << 32),
    gid=st.integers(0, 1 << 32),
    process=st.none()
    | st.builds(
        ProcessMark, st.text(alphabet=st.characters(codec="utf-8")), st.integers(0, 1 << 62)
    ),
)


@given(locks)
def test_a_lock_comes_back(lock: Lock) -> None:
    assert decode_lock(encode_lock(lock)) == lock


def test_a_lock_of_restic_is_read() -> None:
    # Fields as the design document shows them; restic leaves out uid and gid on Windows.
    text = {
        "time": "2015-06-27T12:18:51.759239612+02:00",
        "exclusive": False,
        "hostname": "kasimir",
        "username": "fd0",
        "pid": 13607,
    }

    lock = decode_lock(json.dumps(text).encode())

    assert lock.time == datetime(2015, 6, 27, 10, 18, 51, 759239, UTC)
    assert (lock.hostname, lock.pid, lock.uid, lock.exclusive) == ("kasimir", 13607, 0, False)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"time":"x","exclusive":false,"hostname":"","username":"","pid":1}',
    ],
)
def test_what_is_no_lock_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_lock(text)
