"""What ``smartctl --json`` tells, in words that say what to do."""

from __future__ import annotations

import json

import pytest

from backup_agent.errors import CommandFailedError
from rescue_media.errands.disk_health import parse_health


def told(**fields: object) -> bytes:
    return json.dumps({"json_format_version": [1, 0], **fields}).encode()


def test_a_drive_with_replaced_areas_is_worn_though_it_calls_itself_passed() -> None:
    health = parse_health(
        "sda",
        told(
            smart_status={"passed": True},
            ata_smart_attributes={"table": [{"id": 5, "raw": {"value": 412}}]},
            power_on_time={"hours": 31000},
        ),
    )
    assert health.is_good is False
    assert health.facts == ("412 worn areas were replaced.", "31,000 hours in use.")


def test_a_failing_drive_says_to_copy_what_is_on_it() -> None:
    health = parse_health("sda", told(smart_status={"passed": False}))
    assert health.is_good is False
    assert "copy what is on it" in health.facts[0]


def test_a_healthy_nvme_drive_tells_its_age() -> None:
    log = {"percentage_used": 3, "media_errors": 0, "critical_warning": 0}
    health = parse_health(
        "nvme0n1", told(smart_status={"passed": True}, nvme_smart_health_information_log=log)
    )
    assert (health.is_good, health.facts) == (True, ("3 % of its life are used.",))


def test_a_drive_that_says_nothing_is_unknown_and_never_good() -> None:
    assert parse_health("vda", told()).is_good is None
    with pytest.raises(CommandFailedError):
        parse_health("vda", b"Permission denied")
