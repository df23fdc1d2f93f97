"""Bytes that this process makes up, as a block device of a stock kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.disk_images import run_tool
from tests.machines.guest import run_job

pytestmark = pytest.mark.full

_JOB = """\
cat > held.py <<'END'
import subprocess
from backup_agent.errors import IntegrityError
from backup_agent.host.select import current_host
from backup_agent.targets.disk.joined_volume import HeldBytes, JoinedVolume

SIZE = 32 << 20
END

cat > file-system.py <<'END'
from held import *
held = HeldBytes(SIZE)
with current_host().block_device(JoinedVolume((SIZE, held), sector_size=4096)) as device:
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    subprocess.run(["blockdev", "--getss", "--getsize64", device], check=True)
    subprocess.run(["mount", device, "/mnt"], check=True)
    open("/mnt/hello", "w").write("from the guest")
    subprocess.run(["umount", "/mnt"], check=True)
open("image", "wb").write(held.data)
END
$PYTHON file-system.py > sizes

cat > damaged.py <<'END'
from held import *
class Damaged(HeldBytes):
    def read(self, offset, size):
        if offset + size > SIZE // 2:
            raise IntegrityError("blob 1234 is damaged")
        return super().read(offset, size)
damaged = JoinedVolume((SIZE, Damaged(SIZE)), sector_size=512)
try:
    with current_host().block_device(damaged) as device:
        print(subprocess.run(["dd", f"if={device}", "of=/dev/null", "bs=1M"]).returncode)
except IntegrityError as exc:
    print(exc.message)
END
$PYTHON damaged.py > damaged.txt

cat > killed.py <<'END'
from held import *
import os, signal
held = JoinedVolume((SIZE, HeldBytes(SIZE)), sector_size=512)
with current_host().block_device(held) as device:
    print(open(f"/sys/block/{device[5:]}/size").read().strip(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
END
$PYTHON killed.py > killed.txt || true
until [ ! -e /sys/block/nbd0/pid ]; do sleep 0.1; done
ls /sys/block/nbd*/pid >> killed.txt || true
"""


def test_made_up_bytes_are_a_device_that_fails_and_ends_as_it_should(tmp_path: Path) -> None:
    result = run_job(_JOB, folder=tmp_path)
    assert result.exit_code == 0, result.console
    assert (tmp_path / "sizes").read_text().split() == ["4096", str(32 << 20)]
    run_tool("e2fsck", "-f", "-n", tmp_path / "image")
    assert run_tool("debugfs", "-R", "cat /hello", tmp_path / "image") == "from the guest"
    assert (tmp_path / "damaged.txt").read_text() == "1\nblob 1234 is damaged\n"
    assert (tmp_path / "killed.txt").read_text() == "65536\n"
