"""Two maps never write to the same place."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import UsageError
from backup_agent.services.restore_disk import refuse_double_targets
from tests.helpers.fake_host import FakeHost


class Computer(FakeHost):
    """``sdb1`` and ``sdb2`` are partitions of ``sdb``, all in one folder."""

    def disk_around(self, path: str) -> str | None:
        return path[:-1] if path.endswith(("sdb1", "sdb2")) else None


@pytest.mark.parametrize("names", [("sdb", "sdb1"), ("sdb2", "other.img", "sdb")])
def test_a_disk_and_a_partition_of_it_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"sdb[12] is a partition of \S+sdb, which is the target"):
        refuse_double_targets([tmp_path / name for name in names], Computer())


def test_the_disk_is_known_by_any_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "sdb").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "sdb")
    with pytest.raises(UsageError, match="is a partition of"):
        refuse_double_targets([tmp_path / "by-id", tmp_path / "sdb1"], Computer())


def test_two_partitions_of_one_disk_are_two_targets(tmp_path: Path) -> None:
    refuse_double_targets([tmp_path / "sdb1", tmp_path / "sdb2", tmp_path / "sda"], Computer())
    with pytest.raises(UsageError, match="target of two maps"):
        refuse_double_targets([tmp_path / "sdb1", tmp_path / "sdb1"], Computer())
