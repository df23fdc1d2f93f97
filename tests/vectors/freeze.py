"""Makes a frozen repository: ``python -m tests.vectors.freeze restic-0.14-v2 /tmp/vector``.

Run once for each version of either program, as root; the tar file and what it
must give back are committed and never made anew. A name that starts with
``restic`` uses the restic on the path, ``everboot`` this program.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tarfile
from pathlib import Path

from backup_agent.storage.local import LocalBackend
from tests.points import back_up, new_repository
from tests.restic import Restic
from tests.trees import Content, Fifo, File, Folder, Link, plant, survey

HERE = Path(__file__).parent


def small_tree() -> Folder:
    return Folder(
        {
            b"plain": File(Content(1, 3000), mtime_ns=1_600_000_000_123_456_789),
            b"empty": File(Content(0, 0), mode=0o600),
            b"text": File(Content(0, 20_000), xattr=b"\x00\xff"),
            b'"quoted" \\ <&>': File(Content(2, 10)),
            b"\xff\xfe": File(Content(3, 10)),
            b"line\nbreak": File(Content(4, 10), mtime_ns=-1),
            "größe \U0001f600\u00ad".encode(): File(Content(5, 10)),
            b"x" * 255: File(Content(6, 10), mode=0o4755),
            b"folder": Folder({b"again": File(Content(1, 3000))}, mode=0o1777, mtime_ns=10**18),
            b"link": Link("folder/größe".encode()),
            b"pipe": Fifo(),
        },
        mtime_ns=1_500_000_000 * 10**9,
    )


def freeze(name: str, work: Path) -> None:
    source, place = work / "source", work / "repository"
    plant(small_tree(), bytes(source))
    os.link(source / "plain", source / "hard link")
    os.mknod(source / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.lchown(source / "text", 12345, 23456)
    facts = source.stat()
    os.utime(source, ns=(facts.st_mtime_ns, 1_500_000_000 * 10**9))
    if name.startswith("restic"):
        restic = Restic(place)
        place.mkdir()
        restic("init", "--repository-version", name[-1])
        restic("backup", "--host", "vector", str(source))
    else:
        back_up(new_repository(LocalBackend(place)), source)
    expected = {
        path.hex(): {
            "name": path.decode("utf-8", "backslashreplace"),
            "mode": found.mode,
            "owner": found.owner,
            "mtime_ns": found.mtime_ns,
            "content": found.content,
            "xattrs": {attribute: value.hex() for attribute, value in found.xattrs},
            "same_as": found.same_as.hex(),
        }
        for path, found in sorted(survey(bytes(source)).items())
        if path != b"."
    }
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")
    with tarfile.open(HERE / f"{name}.tar", "w") as tar:
        for path in sorted(place.rglob("*")):
            if path.is_file() and path.parent.name not in ("tmp", "locks"):
                tar.add(path, str(path.relative_to(place)))


if __name__ == "__main__":
    freeze(sys.argv[1], Path(sys.argv[2]))
