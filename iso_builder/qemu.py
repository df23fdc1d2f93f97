"""Booting a medium in a virtual machine, and typing on its serial port."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from backup_agent.errors import CommandFailedError, UnsupportedError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import Machine, require
from iso_builder.config import SAFE_SERIAL_CHOICE, SERIAL_CHOICE
from iso_builder.monitor import take_screenshot

MIB = 1 << 20

# An older model plus AES: with "max", or with AES alone, Debian's kernels oops under emulation.
_PROCESSOR = "Nehalem,+aes,+pclmulqdq"
_READY = "Ready."
_GAVE_UP = "Press Enter to restart this computer."
_PROMPT = "root@rescue:~# "
_STEERING = re.compile(r"\r|\x1b\[[0-9;?]*[A-Za-z]")
_OVMF = Path("/usr/share/OVMF")
_WINDOW_SECONDS = 300
_WAIT_FOR_WINDOW = f"/usr/lib/everboot/wait-for-window {_WINDOW_SECONDS}"
_WINDOW = re.compile(r"The window is there, by (?P<display>\w+)\.")


class Firmware(StrEnum):
    BIOS = "bios"
    UEFI = "uefi"
    SECURE_BOOT = "secure-boot"


class Shape(StrEnum):
    CD = "cd"
    USB = "usb"


@dataclass(frozen=True, slots=True)
class TrialMachine:
    """A computer to try the medium on; ``memory`` in bytes, ``disks`` raw images.

    ``safe_graphics``: started without graphics drivers.
    """

    firmware: Firmware = Firmware.UEFI
    shape: Shape = Shape.USB
    memory: int = 1024 * MIB
    disks: tuple[Path, ...] = ()
    kvm: bool = False
    safe_graphics: bool = False

    def arguments(self, image: Path, variables: Path, monitor: Path) -> list[str]:
        """QEMU's command; its standard input and output are the first serial port.

        ``variables``: a file that UEFI may write to; ``monitor``: the socket to steer it by.
        """
        secure = self.firmware is Firmware.SECURE_BOOT
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        words += ["-machine", f"q35,smm={'on' if secure else 'off'}", "-smp", "2"]
        words += ["-accel", "kvm", "-cpu", "host"] if self.kvm else ["-accel", "tcg"]
        words += [] if self.kvm else ["-cpu", _PROCESSOR]
        words += ["-m", f"{self.memory // MIB}M", "-no-reboot", "-vga", "std"]
        words += ["-serial", "stdio", "-device", "virtio-rng-pci", "-device", "qemu-xhci"]
        # It gets an address like in any home, and leads nowhere.
        words += ["-nic", "user,restrict=on,model=virtio-net-pci"]
        words += ["-qmp", f"unix:{_escaped(monitor)},server=on,wait=off"]
        choice = SAFE_SERIAL_CHOICE if self.safe_graphics else SERIAL_CHOICE
        words += ["-smbios", f"type=11,value={choice}"]
        words += self._firmware_words(variables)
        words += ["-drive", f"if=none,id=medium,format=raw,readonly=on,file={_escaped(image)}"]
        match self.shape:
            case Shape.USB:
                words += ["-device", "usb-storage,drive=medium,bootindex=0,removable=on"]
            case Shape.CD:
                words += ["-device", "ide-cd,drive=medium,bootindex=0"]
        for disk in self.disks:
            words += ["-drive", f"if=virtio,format=raw,file={_escaped(disk)}"]
        return words

    def _firmware_words(self, variables: Path) -> list[str]:
        if self.firmware is Firmware.BIOS:
            return []
        code = _OVMF / (
            "OVMF_CODE_4M.secboot.fd"
            if self.firmware is Firmware.SECURE_BOOT
            else "OVMF_CODE_4M.fd"
        )
        words = ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"]
        words += ["-drive", f"if=pflash,unit=1,format=raw,file={_escaped(variables)}"]
        if self.firmware is Firmware.SECURE_BOOT:
            words += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        return words


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a medium came: what shows its window, and what each command said."""

    display: str
    answers: tuple[str, ...]


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
    require({"qemu-system-x86_64": "qemu-system-x86"}, purpose="Trying the medium")
    with tempfile.TemporaryDirectory(prefix="everboot-machine-") as folder:
        variables = _variables(machine.firmware, Path(folder))
        monitor = Path(folder) / "monitor"
        with Machine(machine.arguments(image, variables, monitor)) as running:

            def listen(until: str) -> str:
                return running.listen(
                    until, failure=_GAVE_UP, limit_seconds=limit_seconds, cancel=cancel
                )

            def ask(command: str) -> str:
                running.say(command)
                return _plain(listen(_PROMPT).removesuffix(_PROMPT))

            listen(_READY)
            listen(_PROMPT)
            display = _display(ask(_WAIT_FOR_WINDOW))
            if screenshot is not None:
                take_screenshot(monitor, screenshot.absolute())
            answers = tuple(ask(command) for command in commands)
            running.say("poweroff")
            return Trial(display, answers)


def _display(answer: str) -> str:
    """What shows the window. Raises :class:`CommandFailedError` if nothing does."""
    found = _WINDOW.search(answer)
    if found is None:
        raise CommandFailedError(f"It reached its terminal, but no window. It said:\n{answer}")
    return found["display"]


def _plain(text: str) -> str:
    """Without what steers a terminal."""
    return _STEERING.sub("", text)


def _variables(firmware: Firmware, folder: Path) -> Path:
    """A copy, for the machine writes to it. Secure Boot's has Microsoft's keys enrolled."""
    copy = folder / "variables.fd"
    if firmware is not Firmware.BIOS:
        name = "OVMF_VARS_4M.ms.fd" if firmware is Firmware.SECURE_BOOT else "OVMF_VARS_4M.fd"
        try:
            shutil.copyfile(_OVMF / name, copy)
        except OSError as exc:
            raise UnsupportedError(
                "There is no UEFI for virtual machines on this computer.",
                hint="On Debian: apt-get install ovmf; or try --firmware bios.",
            ) from exc
    return copy


def _escaped(path: Path) -> str:
    """QEMU's options are separated by commas; one that belongs to a value is doubled."""
    return str(path.absolute()).replace(",", ",,")
