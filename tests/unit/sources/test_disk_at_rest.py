from __future__ import annotations

import io
from pathlib import Path

import pytest

from backup_agent.errors import FreezeFailedError
from backup_agent.model.disk import Disk
from backup_agent.sources.disk_at_rest import open_at_rest
from tests.helpers.fake_host import FakeHost


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    path = tmp_path / "disk"
    path.write_bytes(b"changing")
    return FakeHost().disk(str(path))


class FrozenBytes(io.RawIOBase):
    """A view that shows always the same."""

    def __init__(self, _disk: Disk) -> None:
        self._bytes = io.BytesIO(b"frozen")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        return self._bytes.readinto(buffer)  # type: ignore[arg-type] # typeshed's Buffer is 3.12's


def no_room(_disk: Disk) -> io.RawIOBase:
    raise FreezeFailedError("There is no free room.")


def test_unused_disk_is_read_itself(disk: Disk) -> None:
    host = FakeHost(frozen_view=FrozenBytes)
    with open_at_rest(host, disk, allow_mounted=False) as file:
        assert file.read() == b"changing"


@pytest.mark.parametrize("allow_mounted", [False, True])
def test_disk_in_use_is_read_through_a_frozen_view(disk: Disk, allow_mounted: bool) -> None:
    host = FakeHost(mounted={disk.path: ["/home"]}, frozen_view=FrozenBytes)
    with open_at_rest(host, disk, allow_mounted=allow_mounted) as file:
        assert file.read() == b"frozen"


def test_disk_in_use_without_a_frozen_view_is_refused_unless_allowed(disk: Disk) -> None:
    host = FakeHost(mounted={disk.path: ["/home"]})
    with pytest.raises(FreezeFailedError, match=r"in use \(/home\)"):
        open_at_rest(host, disk, allow_mounted=False)
    with open_at_rest(host, disk, allow_mounted=True) as file:
        assert file.read() == b"changing"


def test_failed_frozen_view_ends_the_backup_unless_the_disk_may_be_in_use(disk: Disk) -> None:
    host = FakeHost(mounted={disk.path: ["/home"]}, frozen_view=no_room)
    with pytest.raises(FreezeFailedError, match="no free room"):
        open_at_rest(host, disk, allow_mounted=False)
    with open_at_rest(host, disk, allow_mounted=True) as file:
        assert file.read() == b"changing"
