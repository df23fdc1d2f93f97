"""From the medium to the restored disk: what "Automatic Restart" does at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import CommandFailedError
from backup_agent.host.command import run
from backup_agent.model.machine import Firmware

_SECONDS = 60.0
COUNTDOWN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RestartPlan:
    """``eject``: the CD drive that the medium is in. ``seconds`` for a person to do what is asked.

    ``request`` is what a person is asked to do meanwhile; empty where nothing is needed.
    """

    eject: str
    seconds: int
    request: str


def plan_restart(firmware: Firmware, medium: str, *, starts_by_list: bool) -> RestartPlan:
    """``medium``: the rescue media's device. ``starts_by_list``: UEFI was told what comes next."""
    if _is_cd(medium):
        return RestartPlan(medium, 10, "Take the CD out of its drive.")
    if firmware is Firmware.UEFI and starts_by_list:
        return RestartPlan("", 10, "")
    return RestartPlan(
        "", COUNTDOWN_SECONDS, "Pull the USB key out, or this computer starts from it again."
    )


def restart(plan: RestartPlan) -> None:
    """Write all to the disks, open the drive, restart. Raises :class:`CommandFailedError`."""
    run(["sync"], timeout_seconds=10 * _SECONDS)
    if plan.eject:
        # The drive is locked while the medium in it is mounted. A drive that stays shut must not
        # stop the restart: the person was asked to take the CD out.
        with suppress(CommandFailedError):
            run(["eject", "-i", "off", plan.eject], timeout_seconds=_SECONDS)
            run(["eject", "--force", plan.eject], timeout_seconds=_SECONDS)
    run(["systemctl", "reboot"], timeout_seconds=_SECONDS)


def countdown(plan: RestartPlan) -> Iterator[str]:
    """What to show, second by second; nothing here waits."""
    for left in range(plan.seconds, 0, -1):
        unit = "second" if left == 1 else "seconds"
        yield f"{plan.request} Restart in {left} {unit}.".lstrip()


def medium_device(file: Path = Path("/run/everboot/device")) -> str:
    """The device that this computer was started from; empty where it is no rescue media."""
    try:
        return f"/dev/{file.read_text().strip()}"
    except OSError:
        return ""


def _is_cd(device: str) -> bool:
    return device.startswith("/dev/sr")
