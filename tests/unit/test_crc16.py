"""CRC-16 against the check values that all catalogues of CRCs give for it."""

from __future__ import annotations

import pytest

from backup_agent.filesystems.crc16 import crc16


@pytest.mark.parametrize(("begin", "check"), [(0, 0xBB3D), (0xFFFF, 0x4B37)])
def test_register_is_the_check_value(begin: int, check: int) -> None:
    assert crc16(begin, b"123456789") == check


def test_register_goes_on_where_it_stopped() -> None:
    assert crc16(crc16(0xFFFF, b"1234"), b"56789") == crc16(0xFFFF, b"123456789")
