from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.host.api import WritableDisk
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.targets.disk.ledger import RememberingDisk

MIB = 1 << 20


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.touch()
    os.truncate(path, 8 * MIB)
    return path


@pytest.fixture
def disk(image: Path) -> Iterator[WritableDisk]:
    host = current_host()
    disk = host.open_target(host.disk(str(image)))
    yield disk
    disk.close()


def written(disk: WritableDisk) -> RememberingDisk:
    """A volume of data and zeros, changed here and there by a tool that came after."""
    ledger = RememberingDisk(disk)
    ledger.write(MIB, b"a" * 2 * MIB)
    ledger.zero(3 * MIB, 3 * MIB)
    ledger.write(MIB + 700, b"changed")
    ledger.write(3 * MIB - 10, b"across two entries")
    ledger.write(5 * MIB, b"b" * 2 * MIB)
    ledger.flush()
    return ledger


def test_what_was_written_twice_reads_back_as_written_last(disk: WritableDisk) -> None:
    assert sum(written(disk).compare("disk", CancelToken())) > 6 * MIB


@pytest.mark.parametrize("place", [MIB, MIB + 701, 3 * MIB + 1, 4 * MIB, 7 * MIB - 1])
def test_byte_that_the_medium_did_not_keep_is_found(disk: WritableDisk, place: int) -> None:
    ledger = written(disk)
    disk.write(place, b"?")
    with pytest.raises(IntegrityError, match="reads back differently"):
        list(ledger.compare("disk", CancelToken()))
