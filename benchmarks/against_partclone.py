"""Capture of an NTFS volume, by Everboot into a repository and by partclone, in turn.

``python -m benchmarks.against_partclone [--pairs N] [--folder DIR]`` needs
Debian's ``partclone`` and ``ntfs-3g``. Everboot compresses, encrypts and
writes; partclone does neither of the first two, writes an image beside the
repository or nothing at all ("to nowhere"), and "without checksums" does not
sum what it reads. Put the folder on a RAM disk (``/dev/shm``) to measure the
programs: it needs three times the used space. Each program runs once
unmeasured; a run that fails, or leaves something out, ends it all.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from benchmarks.against_restic import ENVIRONMENT, EVERBOOT
from benchmarks.data import incompressible_file, tree_of_small_files
from benchmarks.measure import Comparison, Pair, Run, run

_NO_SUMS = ("--checksum-mode", "0")
_WORKS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "to an image": (True, ()),
    "without checksums": (True, _NO_SUMS),
    "to nowhere": (False, ()),
    "nowhere, no checksums": (False, _NO_SUMS),
}
"""By name: whether partclone writes, and its options."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where to work")
    parser.add_argument("--mib", type=int, default=2048, help="used space of the volume")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="everboot-benchmark-") as scratch:
        bench = Bench(Path(scratch), args.mib)
        bench.warm_up()
        print(f"{args.pairs} pairs; ratios are partclone / everboot; seconds and MB too")
        for work, (writes, options) in _WORKS.items():
            print(bench.compare(work, args.pairs, writes, options).line(), flush=True)


class Bench:
    """A volume, four times as large as what is in it, and a repository."""

    def __init__(self, scratch: Path, mib: int) -> None:
        self._scratch = scratch
        self._volume = scratch / "volume.img"
        with open(self._volume, "wb") as file:
            file.truncate(4 * mib << 20)
        run(["mkntfs", "-qfF", str(self._volume)], ENVIRONMENT, quiet=True)
        # Half of it as if compressed already, half like documents.
        incompressible_file(scratch / "random", mib // 2 << 20)
        self._put("random")
        self._put_documents(mib // 2 << 20)

    def warm_up(self) -> None:
        """So that nobody's first run loads programs and the volume from a disk."""
        self._partclone(True, ())
        self._everboot()

    def compare(self, work: str, pairs: int, writes: bool, options: tuple[str, ...]) -> Comparison:
        measured: list[Pair] = []
        for number in range(pairs):
            # Who goes first changes, so that warm caches favour neither.
            if number % 2:
                ours = self._everboot()
                theirs = self._partclone(writes, options)
            else:
                theirs = self._partclone(writes, options)
                ours = self._everboot()
            measured.append(Pair(ours, theirs))
        return Comparison(work, tuple(measured))

    def _everboot(self) -> Run:
        repository = self._scratch / "repository"
        shutil.rmtree(repository, ignore_errors=True)
        run([*EVERBOOT, "--repo", str(repository), "init"], ENVIRONMENT)
        command = ["--repo", str(repository), "backup", "--disk", str(self._volume)]
        return run([*EVERBOOT, *command], ENVIRONMENT)

    def _partclone(self, writes: bool, options: tuple[str, ...]) -> Run:
        image = self._scratch / "partclone.img"
        image.unlink(missing_ok=True)
        log = ("--logfile", str(self._scratch / "partclone.log"))
        fixed = ("partclone.ntfs", "--clone", "--quiet", *log, "--source", str(self._volume))
        target = ("--output", str(image)) if writes else ("--overwrite", "/dev/null")
        measured = run([*fixed, *options, *target], ENVIRONMENT, quiet=True)
        image.unlink(missing_ok=True)
        return measured

    def _put_documents(self, size: int) -> None:
        tree = self._scratch / "documents"
        tree_of_small_files(tree, 4000)
        texts = b"".join(path.read_bytes() for path in sorted(tree.rglob("*.txt")))
        with open(self._scratch / "texts", "wb") as file:
            # Turned a little each time, so that no block is another one's twin.
            turns = (turn * 4099 for turn in range(-(-size // len(texts))))
            file.writelines(texts[turn:] + texts[:turn] for turn in turns)
        shutil.rmtree(tree)
        self._put("texts")

    def _put(self, name: str) -> None:
        source = self._scratch / name
        run(["ntfscp", "--quiet", "--force", str(self._volume), str(source), name], ENVIRONMENT)
        source.unlink()


if __name__ == "__main__":
    main()
