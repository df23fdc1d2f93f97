"""CRC-32C against the check value that all catalogues of CRCs give for it."""

from __future__ import annotations

from backup_agent.filesystems.crc32c import crc32c


def test_register_is_the_inverse_of_the_check_value() -> None:
    assert crc32c(0xFFFFFFFF, b"123456789") ^ 0xFFFFFFFF == 0xE3069283


def test_register_goes_on_where_it_stopped() -> None:
    assert crc32c(crc32c(0xFFFFFFFF, b"1234"), b"56789") == crc32c(0xFFFFFFFF, b"123456789")
