"""Trying a medium: a virtual machine that is started from it, and somebody at its serial port."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import CommandFailedError, UnsupportedError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import Machine, require
from iso_builder.monitor import take_screenshot
from iso_builder.qemu import OVMF, Firmware, TrialMachine

_READY = "Ready."
_GAVE_UP = "Press Enter to restart this computer."
_PROMPT = "root@rescue:~# "
_STEERING = re.compile(r"\r|\x1b\[[0-9;?]*[A-Za-z]")
_WINDOW_SECONDS = 300
_WAIT_FOR_WINDOW = f"/usr/lib/everboot/wait-for-window {_WINDOW_SECONDS}"
_WINDOW = re.compile(r"The window is there, by (?P<display>\w+)\.")


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a medium came: what shows its window, and what each command said."""

    display: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunningMedium:
    """A machine that was started from a medium. ``monitor``: the socket that QEMU is steered by.

    Whatever it does has ``limit_seconds`` to be done in; else :class:`CommandFailedError` tells
    its last words.
    """

    machine: Machine
    monitor: Path
    limit_seconds: float
    cancel: CancelToken

    def listen(self, until: str) -> str:
        """What its serial port says up to these words."""
        return self.machine.listen(
            until, failure=_GAVE_UP, limit_seconds=self.limit_seconds, cancel=self.cancel
        )

    def wait_for_terminal(self) -> None:
        self.listen(_READY)
        self.listen(_PROMPT)

    def ask(self, command: str) -> str:
        """What a command says on the rescue terminal; one that says much says it on several lines.

        Its own echo comes first.
        """
        self.machine.say(command)
        return _plain(self.listen(_PROMPT).removesuffix(_PROMPT))

    def wait_for_window(self) -> str:
        """What shows the window. Raises :class:`CommandFailedError` if nothing does."""
        answer = self.ask(_WAIT_FOR_WINDOW)
        found = _WINDOW.search(answer)
        if found is None:
            raise CommandFailedError(f"It reached its terminal, but no window. It said:\n{answer}")
        return found["display"]


@contextmanager
def switched_on(
    image: Path, machine: TrialMachine, *, limit_seconds: float, cancel: CancelToken
) -> Iterator[RunningMedium]:
    """The machine, from power-on to the end of the block, when its power is cut.

    Raises :class:`UnsupportedError` without QEMU.
    """
    require({"qemu-system-x86_64": "qemu-system-x86"}, purpose="Trying the medium")
    with tempfile.TemporaryDirectory(prefix="everboot-machine-") as folder:
        variables = _variables(machine.firmware, Path(folder))
        monitor = Path(folder) / "monitor"
        with Machine(machine.arguments(image, variables, monitor)) as running:
            yield RunningMedium(running, monitor, limit_seconds, cancel)


def try_out(
    image: Path,
    machine: TrialMachine,
    *,
    commands: tuple[str, ...] = (),
    screenshot: Path | None = None,
    limit_seconds: float,
    cancel: CancelToken,
) -> Trial:
    """Boot it to its window, run each command on its terminal, switch it off.

    ``screenshot`` takes a picture (PNG) of the window. Raises
    :class:`CommandFailedError` with the machine's last words if it does not
    get there in time, and :class:`UnsupportedError` without QEMU.
    """
    with switched_on(image, machine, limit_seconds=limit_seconds, cancel=cancel) as running:
        running.wait_for_terminal()
        display = running.wait_for_window()
        if screenshot is not None:
            take_screenshot(running.monitor, screenshot.absolute())
        answers = tuple(running.ask(command) for command in commands)
        return Trial(display, answers)


def _plain(text: str) -> str:
    """Without what steers a terminal."""
    return _STEERING.sub("", text)


def _variables(firmware: Firmware, folder: Path) -> Path:
    """A copy, for the machine writes to it. Secure Boot's has Microsoft's keys enrolled."""
    copy = folder / "variables.fd"
    if firmware is not Firmware.BIOS:
        name = "OVMF_VARS_4M.ms.fd" if firmware is Firmware.SECURE_BOOT else "OVMF_VARS_4M.fd"
        try:
            shutil.copyfile(OVMF / name, copy)
        except OSError as exc:
            raise UnsupportedError(
                "There is no UEFI for virtual machines on this computer.",
                hint="On Debian: apt-get install ovmf; or try --firmware bios.",
            ) from exc
    return copy
