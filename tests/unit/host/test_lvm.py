from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError
from backup_agent.host.linux.lvm import (
    LogicalVolume,
    is_logical_volume,
    parse_lvs,
    snapshot_extents,
)

EXTENT = 4 << 20
ROOT = LogicalVolume(
    group="office",
    name="root",
    size=40 * EXTENT,
    extent_size=EXTENT,
    free_extents=56,
    thin=False,
    is_open=True,
)
# lvs 2.03.16, with --reportformat json --units b --nosuffix
LVS = b"""
  {
      "report": [
          {
              "lv": [
                  {"vg_name":"office", "lv_name":"root", "lv_size":"167772160",
                   "lv_layout":"linear", "vg_extent_size":"4194304", "vg_free_count":"56",
                   "lv_device_open":"open"},
                  {"vg_name":"office", "lv_name":"thin", "lv_size":"67108864",
                   "lv_layout":"thin,sparse", "vg_extent_size":"4194304", "vg_free_count":"56",
                   "lv_device_open":""}
              ]
          }
      ]
  }
"""


def test_volumes_are_read_from_the_report() -> None:
    root, thin = parse_lvs(LVS)
    assert root == ROOT
    assert (thin.full_name, thin.thin, thin.is_open) == ("office/thin", True, False)


def test_report_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(CommandFailedError, match="not understood"):
        parse_lvs(LVS.replace(b'"167772160"', b'"160M"'))
    with pytest.raises(CommandFailedError, match="not understood"):
        parse_lvs(b"No volume groups found")


def test_snapshot_takes_what_it_could_ever_need() -> None:
    assert snapshot_extents(replace(ROOT, free_extents=1000)) == 42


def test_snapshot_leaves_half_of_scarce_room_to_others() -> None:
    assert snapshot_extents(ROOT) == 28
    assert snapshot_extents(replace(ROOT, free_extents=1)) == 1
    assert snapshot_extents(replace(ROOT, free_extents=0)) == 0


@pytest.mark.parametrize(
    ("uuid", "expected"),
    [
        ("LVM-aE67r2cJ42YSH7xF7S9QdJyLbR8bp1kUWP7aYDIvv7EWAGpmcMG4edGdQfJxpRrY\n", True),
        ("LVM-aE67r2cJ42YSH7xF7S9QdJyLbR8bp1kUWP7aYDIvv7EWAGpmcMG4edGdQfJxpRrY-real\n", False),
        ("CRYPT-LUKS2-0a1b2c3d4e5f60718293a4b5c6d7e8f9-home\n", False),
    ],
)
def test_logical_volume_is_known_by_the_name_lvm_gave_it(
    tmp_path: Path, uuid: str, expected: bool
) -> None:
    folder = tmp_path / "254:0" / "dm"
    folder.mkdir(parents=True)
    (folder / "uuid").write_text(uuid)
    assert is_logical_volume("254:0", devices=tmp_path) is expected
    assert not is_logical_volume("8:0", devices=tmp_path)
