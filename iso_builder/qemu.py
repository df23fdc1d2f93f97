"""The virtual machine that a medium is tried on, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from iso_builder.config import SAFE_SERIAL_CHOICE, SERIAL_CHOICE

MIB = 1 << 20
NEIGHBOUR = "10.0.2.100"
NETWORK = "network"
KEY = "key"
"""What QEMU knows the machine's network and its USB key by."""
OVMF = Path("/usr/share/OVMF")
"""Where Debian keeps the UEFI of virtual machines."""

# An older model plus AES: with "max", or with AES alone, Debian's kernels oops under emulation.
_PROCESSOR = "Nehalem,+aes,+pclmulqdq"


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

    ``safe_graphics``: started without graphics drivers. ``neighbours``: ports of this computer's
    loopback that it reaches as ports of ``NEIGHBOUR``; it reaches nothing else. ``restarts``: told
    to restart it does, instead of ending.
    """

    firmware: Firmware = Firmware.UEFI
    shape: Shape = Shape.USB
    memory: int = 1024 * MIB
    disks: tuple[Path, ...] = ()
    kvm: bool = False
    safe_graphics: bool = False
    neighbours: tuple[int, ...] = ()
    restarts: bool = False

    def arguments(self, image: Path, variables: Path, monitor: Path) -> list[str]:
        """QEMU's command; its standard input and output are the first serial port.

        ``variables``: a file that UEFI may write to; ``monitor``: the socket to steer it by.
        """
        secure = self.firmware is Firmware.SECURE_BOOT
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        words += ["-machine", f"q35,smm={'on' if secure else 'off'}", "-smp", "2"]
        words += ["-accel", "kvm", "-cpu", "host"] if self.kvm else ["-accel", "tcg"]
        words += [] if self.kvm else ["-cpu", _PROCESSOR]
        words += ["-m", f"{self.memory // MIB}M", "-vga", "std"]
        words += [] if self.restarts else ["-no-reboot"]
        words += ["-serial", "stdio", "-device", "virtio-rng-pci", "-device", "qemu-xhci"]
        words += ["-nic", self._network_words()]
        words += ["-qmp", f"unix:{_escaped(monitor)},server=on,wait=off"]
        choice = SAFE_SERIAL_CHOICE if self.safe_graphics else SERIAL_CHOICE
        words += ["-smbios", f"type=11,value={choice}"]
        words += self._firmware_words(variables)
        words += ["-drive", f"if=none,id=medium,format=raw,readonly=on,file={_escaped(image)}"]
        match self.shape:
            case Shape.USB:
                words += ["-device", f"usb-storage,id={KEY},drive=medium,bootindex=0,removable=on"]
            case Shape.CD:
                words += ["-device", "ide-cd,drive=medium,bootindex=0"]
        for number, disk in enumerate(self.disks, start=1):
            words += ["-drive", f"if=none,id=disk{number},format=raw,file={_escaped(disk)}"]
            # QEMU's UEFI forgets what it was told of disks that have no place in the order.
            words += ["-device", f"virtio-blk-pci,drive=disk{number},bootindex={number}"]
        return words

    def _network_words(self) -> str:
        """It gets an address like in any home, and leads nowhere but to the neighbours."""
        ways = (
            # A program for each connection, for QEMU itself would hold one only.
            f",guestfwd=tcp:{NEIGHBOUR}:{port}-cmd:busybox nc 127.0.0.1 {port}"
            for port in self.neighbours
        )
        return f"user,id={NETWORK},restrict=on,model=virtio-net-pci{''.join(ways)}"

    def _firmware_words(self, variables: Path) -> list[str]:
        if self.firmware is Firmware.BIOS:
            return []
        code = OVMF / (
            "OVMF_CODE_4M.secboot.fd"
            if self.firmware is Firmware.SECURE_BOOT
            else "OVMF_CODE_4M.fd"
        )
        words = ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"]
        words += ["-drive", f"if=pflash,unit=1,format=raw,file={_escaped(variables)}"]
        if self.firmware is Firmware.SECURE_BOOT:
            words += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        return words


def _escaped(path: Path) -> str:
    """QEMU's options are separated by commas; one that belongs to a value is doubled."""
    return str(path.absolute()).replace(",", ",,")
