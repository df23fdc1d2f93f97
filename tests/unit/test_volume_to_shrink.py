"""Which volume ``restore-disk --shrink`` means, in both spellings."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from backup_agent.cli.restore_disk_command import VolumeToShrink
from backup_agent.errors import UsageError


@pytest.mark.parametrize("text", ["7", "disk0/volume7", "/disk0/volume7"])
def test_number_and_place_mean_the_same_volume(text: str) -> None:
    wish = VolumeToShrink.parse(text)
    assert [wish.number_on(source) for source in ("disk0", "disk0/volume7")] == [7, 7]
    wish.refuse_other_disks(["disk0"])


def test_place_means_no_volume_of_another_disk() -> None:
    wish = VolumeToShrink.parse("disk1/volume2")
    assert [wish.number_on(source) for source in ("disk0", "disk1", "disk10")] == [None, 2, None]
    with pytest.raises(UsageError, match="volume of disk1, but no --map"):
        wish.refuse_other_disks(["disk0", "disk10"])


@pytest.mark.parametrize("text", ["", "disk0", "volume7", "disk0/7", "7x", "-1", "\u0667"])
def test_what_is_no_volume_is_told_with_both_spellings(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"its number \(2\) or its place"):
        VolumeToShrink.parse(text)
