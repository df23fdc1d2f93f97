"""A job in a Linux guest that looks like this computer, but runs a stock Debian kernel."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machines.initramfs import make_initramfs
from tests.machines.kernel import Kernel, debian_kernel
from tests.machines.qemu import Drive, KernelBoot, Machine, MachineFailedError, Share, run_machine

MIB = 1 << 20
_CHECKOUT = Path(__file__).resolve().parents[2]
_SHELL = Path("/bin/busybox")
_NEEDED = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "apt-get": "apt",
    "depmod": "kmod",
    "lvcreate": "lvm2",
}
# Before the root is mounted there is no modprobe: these, and what they need, are loaded by hand.
_FIRST_MODULES = ("virtio_pci", "virtio_rng", "virtio_blk", "9pnet_virtio", "9p", "overlay")
# "quiet" because every character costs on an emulated serial port.
_KERNEL_WORDS = "console=ttyS0 quiet panic=-1"

# The root, seen read-only, may be cached as if nobody changed it; the exchange may not.
_INIT = """\
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
for module in /modules/*; do $busybox insmod $module; done
$busybox mkdir /below /above /joined
nine=trans=virtio,version=9p2000.L,msize=1048576
$busybox mount -t 9p -o $nine,cache=loose,ro root /below
$busybox mount -t tmpfs -o size=90% above /above
$busybox mkdir /above/upper /above/work
$busybox mount -t overlay \
    -o lowerdir=/below,upperdir=/above/upper,workdir=/above/work root /joined
$busybox mkdir /joined/exchange
$busybox mount -t 9p -o $nine,cache=mmap exchange /joined/exchange
$busybox umount /proc
$busybox mount --move /dev /joined/dev
exec $busybox switch_root /joined /bin/sh /exchange/start
"""

_START = """\
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir -p /run/lock /dev/shm /lib/modules
mount -t tmpfs shm /dev/shm
mount --bind {modules} /lib/modules
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Nothing answers to the kernel's news of devices here: device-mapper's tools make the nodes.
export DM_DISABLE_UDEV=1
export HOME=/root LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export PYTHON={python} PYTHONPATH={checkout}
cd /exchange
/bin/bash -euo pipefail /exchange/job
echo $? > /exchange/exit-code
sync
echo o > /proc/sysrq-trigger
# The power goes in a moment; until then the first process must not end.
while :; do :; done
"""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended; ``folder`` is what the guest saw as its working folder."""

    exit_code: int
    console: str
    folder: Path


def run_job(
    script: str,
    *,
    folder: Path,
    drives: tuple[Drive, ...] = (),
    memory: int = 768 * MIB,
    limit_seconds: float = 900,
) -> JobResult:
    """Boot a guest, run the script in it by bash (``-euo pipefail``), switch it off.

    The script's working folder is ``folder``, the one place where what it
    writes stays; elsewhere it may write, too, but into the guest's memory.
    ``$PYTHON`` is the tests' own Python, with the code under test on its path.
    Skips the test where QEMU and its companions are not installed.
    """
    _require_programs()
    kernel = debian_kernel()
    (folder / "job").write_text(script)
    (folder / "start").write_text(_start_script(kernel))
    make_initramfs(
        folder / "initramfs",
        script=_INIT,
        shell=_SHELL,
        modules=kernel.module_files(*_FIRST_MODULES),
    )
    machine = Machine(
        boot=KernelBoot(kernel.image, folder / "initramfs", _KERNEL_WORDS),
        memory=memory,
        drives=drives,
        shares=(Share(Path("/"), "root"), Share(folder, "exchange", read_only=False)),
    )
    console = run_machine(machine, folder=folder, limit_seconds=limit_seconds)
    exit_code = folder / "exit-code"
    if not exit_code.exists():
        raise MachineFailedError(f"The job did not end; the console:\n{console}")
    return JobResult(int(exit_code.read_text()), console, folder)


def _start_script(kernel: Kernel) -> str:
    return _START.format(
        modules=shlex.quote(str(kernel.modules)),
        python=shlex.quote(sys.executable),
        checkout=shlex.quote(str(_CHECKOUT)),
    )


def _require_programs() -> None:
    for program, package in _NEEDED.items():
        if not shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            pytest.skip(f"needs {program} (Debian package {package})")
