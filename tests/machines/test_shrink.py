"""A disk comes back to a smaller one, with nothing but that disk and little memory at hand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.command_line import PASSWORD, CommandLine
from tests.helpers.disk_images import MIB, make_disk, run_tool
from tests.helpers.volumes import make_file_system, mounted_ntfs, put_ext, remove_ext
from tests.machines.guest import run_job
from tests.machines.qemu import Drive

pytestmark = [
    pytest.mark.full,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount NTFS"),
]

GIB = 1 << 30
VOLUME_SIZE = 5 * GIB
TARGET_SIZE = 3400 * MIB
USED = 3 * GIB
BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
MOST_MEMORY = 300 * MIB

_SETTINGS = """\
export EVERBOOT_REPOSITORY=/exchange/repository EVERBOOT_PASSWORD='%s'
# There is no room for scratch files, and whoever looks for some falls over.
export TMPDIR=/nowhere
cat > measured.py <<'END'
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "backup_agent", *sys.argv[1:]])
with open("memory", "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10))
sys.exit(done.returncode)
END
everboot() { $PYTHON measured.py "$@"; }
"""


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    return CommandLine(exchange)


def test_ntfs_shrinks_on_its_target_without_scratch_room_in_little_memory(
    shell: CommandLine, tmp_path: Path
) -> None:
    volume = tmp_path / "volume.img"
    truth = _make_volume(volume, tmp_path / "mounted")
    assert _last_used(volume) > TARGET_SIZE, "no data behind the new end: nothing is shown"
    source = make_disk(
        tmp_path / "source.img",
        VOLUME_SIZE + 2 * MIB,
        f"label: gpt\nstart=1MiB, size={VOLUME_SIZE // 512}, type={BASIC_DATA}\n",
    )
    _copy_data(volume, 0, source, MIB, VOLUME_SIZE)
    volume.unlink()
    shell.ok("init")
    shell.ok("backup", "--disk", source)
    source.unlink()

    target = tmp_path / "target.img"
    target.touch()
    os.truncate(target, TARGET_SIZE)
    result = run_job(
        _SETTINGS % PASSWORD
        + "everboot --quiet --no-cache restore-disk latest --map disk0=/dev/vda --yes\n",
        folder=shell.home,
        drives=(Drive(target),),
        memory=1 * GIB,
        limit_seconds=3000,
    )
    assert result.exit_code == 0, result.console
    assert int((shell.home / "memory").read_text()) < MOST_MEMORY

    start, size = _only_partition(target)
    assert start + size <= TARGET_SIZE
    _copy_data(target, start, volume, 0, size)
    run_tool("ntfsresize", "--check", "--force", volume)
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        assert _hashes(folder) == truth


def test_ext4_shrinks_and_grows_on_its_target_and_reads_back(
    shell: CommandLine, tmp_path: Path
) -> None:
    volume = make_file_system(tmp_path / "volume.img", 300 * MIB, "mkfs.ext4", "-q", "-b", "4096")
    filler, letters = tmp_path / "filler", tmp_path / "letters"
    filler.write_bytes(b"f" * (180 * MIB))
    letters.write_bytes(b"".join(b"letter %d\n" % number * 100 for number in range(50_000)))
    put_ext(volume, filler, "filler")
    put_ext(volume, letters, "letters")
    remove_ext(volume, "filler")
    run_tool("e2fsck", "-f", "-y", "-E", "discard", volume)
    blocks = run_tool("debugfs", "-R", "blocks letters", volume).split()
    assert max(map(int, blocks)) * 4096 > 200 * MIB, "no data behind the new end"
    source = make_disk(
        tmp_path / "source.img", 302 * MIB, "label: gpt\nstart=1MiB, size=300MiB, type=L\n"
    )
    _copy_data(volume, 0, source, MIB, 300 * MIB)
    shell.ok("init")
    shell.ok("backup", "--disk", source)

    targets = {"shrunk": 202 * MIB, "grown": 400 * MIB}
    for name, size in targets.items():
        make_file_system(tmp_path / name, size, "true")
    result = run_job(
        _SETTINGS % PASSWORD
        + "everboot --quiet restore-disk latest --map disk0=/dev/vda --verify --yes\n"
        + "everboot --quiet restore-disk latest --map disk0=/dev/vdb --grow --verify --yes\n",
        folder=shell.home,
        drives=tuple(Drive(tmp_path / name) for name in targets),
    )
    assert result.exit_code == 0, result.console
    for name, size in targets.items():
        start, volume_size = _only_partition(tmp_path / name)
        assert size - 3 * MIB < volume_size < size
        _copy_data(tmp_path / name, start, volume, 0, volume_size)
        run_tool("e2fsck", "-f", "-n", volume)
        run_tool("debugfs", "-R", f"dump letters {filler}", volume)
        assert filler.read_bytes() == letters.read_bytes()


def _only_partition(disk: Path) -> tuple[int, int]:
    """Start and size."""
    (partition,) = json.loads(run_tool("sfdisk", "--json", disk))["partitiontable"]["partitions"]
    return partition["start"] * 512, partition["size"] * 512


def _make_volume(volume: Path, place: Path) -> dict[str, str]:
    """An NTFS volume with 3 GiB in large files and in many small ones; their hashes."""
    volume.touch()
    os.truncate(volume, VOLUME_SIZE)
    run_tool("mkntfs", "--fast", "--force", "--quiet", volume)
    with mounted_ntfs(volume, place) as folder:
        for number in range(USED // (128 * MIB)):
            with open(folder / f"film {number}.mkv", "wb") as file:
                # Compresses well, and yet no MiB is like another.
                stamps = (number * 128 + piece for piece in range(128))
                file.writelines(stamp.to_bytes(8, "little") * (MIB // 8) for stamp in stamps)
        for number in range(500):
            (folder / f"note {number}.txt").write_bytes(b"note %d\n" % number * 1000)
        return _hashes(folder)


def _last_used(volume: Path) -> int:
    """Where the last data of a sparse image ends."""
    with open(volume, "rb") as file:
        end = 0
        # The very end of every NTFS volume holds a second copy of its first sector.
        while end < VOLUME_SIZE - MIB:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:
                return end
            if start >= VOLUME_SIZE - MIB:
                return end
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
    return end


def _copy_data(source: Path, start: int, target: Path, place: int, size: int) -> None:
    """``size`` bytes from ``start`` of one image to ``place`` of another; holes stay holes."""
    command = ["dd", f"if={source}", f"of={target}", "bs=1M", "conv=sparse,notrunc"]
    command += ["iflag=skip_bytes,count_bytes", f"skip={start}", f"count={size}"]
    run_tool(*command, "oflag=seek_bytes", f"seek={place}", "status=none")
    if target.stat().st_size < place + size:
        os.truncate(target, place + size)


def _hashes(folder: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with open(path, "rb") as file:
                hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
