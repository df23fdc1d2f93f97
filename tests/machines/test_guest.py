"""The machine itself, before anything is built on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.machines.guest import MIB, run_job
from tests.machines.qemu import Drive, MachineFailedError

_JOB = """\
modprobe dm-snapshot
grep -q device-mapper /proc/devices
$PYTHON -c 'import sys, backup_agent; print(sys.version)' > version
$PYTHON -c 'import sys; sys.stdout.buffer.write(open("/dev/vda", "rb").read(8))' > read-from-disk
printf written | dd of=/dev/vda bs=1 seek=1048576 conv=fsync
touch /etc/only-in-the-guest
exit 7
"""


def test_guest_runs_this_python_beside_device_mapper_and_hands_back_exit_code_and_files(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(b"the disk" + bytes(2 * MIB - 8))
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    result = run_job(_JOB, folder=exchange, drives=(Drive(disk),))
    assert result.exit_code == 7, result.console
    assert (exchange / "version").read_text().strip() == sys.version
    assert (exchange / "read-from-disk").read_bytes() == b"the disk"
    assert disk.read_bytes()[MIB : MIB + 8] == b"written\0"
    assert not Path("/etc/only-in-the-guest").exists()


def test_machine_that_never_ends_is_stopped_and_its_console_told(tmp_path: Path) -> None:
    with pytest.raises(MachineFailedError, match="still running"):
        run_job("sleep infinity", folder=tmp_path, limit_seconds=1)
