"""A logical volume in use is backed up as it was in one moment.

One guest goes through the whole story; each test looks at a part of what it
left behind.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.helpers.disk_images import run_tool
from tests.machines.guest import MIB, JobResult, run_job
from tests.machines.ledger import assert_one_moment, rounds_written
from tests.machines.qemu import Drive

_STORY = """\
everboot() { $PYTHON -m backup_agent --repo /exchange/repository "$@"; }
views() { lvs --noheadings --options lv_name --select lv_tags=everboot_frozen_view; }
export EVERBOOT_PASSWORD=secret

modprobe -a dm-snapshot dm-thin-pool ext4
# This computer need not have the tools that check thin pools.
echo 'global { thin_check_executable="" }' > /etc/lvm/lvmlocal.conf
vgcreate --quiet office /dev/vda
lvcreate --quiet --size 160M --name root office
lvcreate --quiet --type thin-pool --size 96M --name pool office
lvcreate --quiet --thin --virtualsize 64M --name thin office/pool
mkfs.ext4 -q /dev/office/root
mkdir -p /media/used
mount /dev/office/root /media/used

everboot init
$PYTHON -m tests.machines.ledger /media/used &
until [ -e /media/used/receipt-2 ]; do sleep 0.2; done

echo '== the volume, while it is written to'
ls /media/used | grep -c letter- > letters-before
everboot backup --json --disk /dev/office/root > backup.json
ls /media/used | grep -c letter- > letters-after
kill %1
views > views-after-backup

echo '== a backup that is killed, and the next'
$PYTHON - <<'END' || true
import os, signal
from backup_agent.host.select import current_host
host = current_host()
view = host.open_frozen_view(host.disk("/dev/office/root"))
os.kill(os.getpid(), signal.SIGKILL)
END
views > views-after-kill
everboot backup --quiet --disk /dev/office/root
views > views-after-next

echo '== the whole disk'
everboot backup --disk /dev/vda 2> whole-disk.txt || echo $? > whole-disk.exit

echo '== a view that runs full'
extents=$(vgs --noheadings --options vg_free_count office)
lvcreate --quiet --extents $((extents - 2)) --name rest office
$PYTHON - <<'END' > full.txt
import os, subprocess
from backup_agent.errors import FreezeFailedError
from backup_agent.host.select import current_host
host = current_host()
disk = host.disk("/dev/office/root")
view = host.open_frozen_view(disk)
view.read(4096)
with open("/media/used/much", "wb") as file:
    file.write(os.urandom(32 << 20))
    os.fsync(file.fileno())
try:
    view.seek(64 << 20)
    while view.read(1 << 20):
        pass
except FreezeFailedError as exc:
    print(exc.message)
view.close()
subprocess.run("lvextend --quiet -l +100%FREE office/rest >&2", shell=True, check=True)
try:
    host.open_frozen_view(disk)
except FreezeFailedError as exc:
    print(exc.message)
END

echo '== a thin volume'
mkfs.ext4 -q /dev/office/thin
mkdir -p /media/thin
mount /dev/office/thin /media/thin
echo before > /media/thin/file
sync
$PYTHON - <<'END' > thin.txt
import os
from backup_agent.host.select import current_host
host = current_host()
view = host.open_frozen_view(host.disk("/dev/office/thin"))
with open("/media/thin/file", "w") as file:
    file.write("after!\\n")
    os.fsync(file.fileno())
data = view.read()
print(len(data), b"before\\n" in data, b"after!\\n" in data)
view.close()
END
views > views-at-the-end
umount /media/thin /media/used
"""

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> JobResult:
    folder = tmp_path_factory.mktemp("exchange")
    disk = tmp_path_factory.mktemp("disk") / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(512 * MIB)
    result = run_job(_STORY, folder=folder, drives=(Drive(disk),))
    assert result.exit_code == 0, result.console
    return result


def test_volume_in_use_is_stored_as_it_was_in_one_moment(story: JobResult, tmp_path: Path) -> None:
    before, after = (
        int((story.folder / f"letters-{when}").read_text()) for when in ("before", "after")
    )
    assert before < after, "nothing was written while the backup ran"

    image = tmp_path / "volume.img"
    _restore(story, image)
    run_tool("e2fsck", "-p", image)  # replays the journal, as mounting would
    run_tool("e2fsck", "-f", "-n", image)
    found = tmp_path / "files"
    found.mkdir()
    run_tool("debugfs", "-R", f"rdump / {found}", image)
    assert before <= rounds_written(found) <= after
    assert_one_moment(found)


def test_view_is_gone_after_the_backup(story: JobResult) -> None:
    assert _views(story, "after-backup") == []
    assert _views(story, "at-the-end") == []


def test_view_that_a_killed_backup_left_is_removed_by_the_next(story: JobResult) -> None:
    (left,) = _views(story, "after-kill")
    assert left.startswith("everboot_")
    assert _views(story, "after-next") == []


def test_whole_disk_under_mounted_volumes_is_refused_and_the_volume_suggested(
    story: JobResult,
) -> None:
    words = (story.folder / "whole-disk.txt").read_text()
    assert "/dev/vda is in use (/media/used)" in words
    assert "--disk /dev/GROUP/VOLUME" in words
    assert (story.folder / "whole-disk.exit").read_text() == "1\n"


def test_view_that_runs_full_ends_the_backup_in_words(story: JobResult) -> None:
    full, no_room = (story.folder / "full.txt").read_text().splitlines()
    assert "The frozen view of office/root ran full" in full
    assert "no free room in the volume group office" in no_room


def test_thin_volume_is_frozen_in_its_pool(story: JobResult) -> None:
    assert (story.folder / "thin.txt").read_text().split() == [str(64 * MIB), "True", "False"]


def _restore(story: JobResult, image: Path) -> None:
    (summary,) = [
        record
        for record in map(json.loads, (story.folder / "backup.json").read_text().splitlines())
        if record["message_type"] == "summary"
    ]
    repository = {
        "EVERBOOT_REPOSITORY": str(story.folder / "repository"),
        "EVERBOOT_PASSWORD": "secret",
    }
    shell = CommandLine(image.parent, repository)
    shell.ok("restore-disk", summary["snapshot_id"], "--map", f"disk0={image}", "--yes")


def _views(story: JobResult, when: str) -> list[str]:
    return (story.folder / f"views-{when}").read_text().split()
