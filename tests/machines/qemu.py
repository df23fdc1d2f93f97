"""QEMU: a machine as a value, and such a machine running until it ends."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from tests.servers.process import running

_PROGRAM = "qemu-system-x86_64"
# An older model plus AES: with "max", or with AES alone, Debian's kernels oops under emulation.
_PROCESSOR = "Nehalem,+aes,+pclmulqdq"
_CONSOLE_TAIL = 6000


class MachineFailedError(AssertionError):
    """The machine did not end by itself; the message ends with its console's last words."""


@dataclass(frozen=True, slots=True)
class Drive:
    """An image file (raw) that the machine sees as a disk; ``/dev/vda`` is the first."""

    image: Path
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A folder of this computer that the machine may mount by 9p under the name ``tag``."""

    folder: Path
    tag: str
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class KernelBoot:
    """Start a kernel directly, without firmware or boot loader."""

    kernel: Path
    initramfs: Path
    command_line: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer: ``memory`` in bytes. It has no network."""

    boot: KernelBoot
    memory: int
    drives: tuple[Drive, ...] = ()
    shares: tuple[Share, ...] = ()

    def arguments(self, console: Path) -> list[str]:
        """QEMU's command; the first serial port writes to the file ``console``."""
        words = [_PROGRAM, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
        words += ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", _PROCESSOR, "-smp", "2"]
        words += ["-m", f"{self.memory >> 20}M", "-device", "virtio-rng-pci"]
        words += ["-serial", f"file:{console}"]
        words += ["-kernel", str(self.boot.kernel), "-initrd", str(self.boot.initramfs)]
        words += ["-append", self.boot.command_line]
        for drive in self.drives:
            words += ["-drive", _drive_option(drive)]
        for share in self.shares:
            words += ["-virtfs", _share_option(share)]
        return words


def run_machine(machine: Machine, *, folder: Path, limit_seconds: float) -> str:
    """Run the machine until it switches itself off; what it wrote to its console.

    ``folder`` takes its console and QEMU's own log. One machine runs at a time
    on this computer; the limit counts from its start. Raises
    :class:`MachineFailedError`.
    """
    console = folder / "console.txt"
    with alone(), running(machine.arguments(console), folder=folder) as server:
        try:
            exit_code = server.process.wait(limit_seconds)
        except subprocess.TimeoutExpired as exc:
            raise MachineFailedError(
                f"still running after {limit_seconds:.0f} s; its console ends:\n{_tail(console)}"
            ) from exc
    if exit_code:
        raise MachineFailedError(f"QEMU ended with {exit_code}:\n{_tail(server.log)}")
    return console.read_text(errors="replace")


def _drive_option(drive: Drive) -> str:
    read_only = "on" if drive.read_only else "off"
    # What is written dies with the test: no need to wait for real disks.
    return f"file={_escaped(drive.image)},format=raw,if=virtio,cache=unsafe,readonly={read_only}"


def _share_option(share: Share) -> str:
    read_only = ",readonly=on" if share.read_only else ""
    # "remap" keeps apart files with the same number on the several file systems of a share.
    return (
        f"local,path={_escaped(share.folder)},mount_tag={share.tag},security_model=none,"
        f"multidevs=remap{read_only}"
    )


def _escaped(path: Path) -> str:
    """QEMU's options are separated by commas; one that belongs to a value is doubled."""
    return str(path).replace(",", ",,")


def _tail(file: Path) -> str:
    return file.read_text(errors="replace")[-_CONSOLE_TAIL:] if file.exists() else "(nothing)"


@contextmanager
def alone() -> Iterator[None]:
    """Emulation takes whole processors: a second machine would only slow both down."""
    with open(Path(gettempdir()) / "everboot-machine.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
