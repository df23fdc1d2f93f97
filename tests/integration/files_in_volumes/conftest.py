"""Volumes and folders that several of these tests look at; not to be changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import (
    Known,
    make_empty,
    mounted_ntfs,
    set_attributes,
    survey,
)
from tests.integration.files_in_volumes.contents import (
    CODE,
    LONE_SURROGATE,
    NAMES,
    NOISE,
    NTFS_NAMES,
    fill,
)


@pytest.fixture(scope="session")
def ntfs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[bytes, Known]]:
    """A volume with all that NTFS can do, and what is in it."""
    scratch = tmp_path_factory.mktemp("ntfs")
    volume = make_empty(scratch / "volume", 48 * MIB, "mkntfs", "-Q", "-F")
    streams: dict[bytes, Known] = {}
    with mounted_ntfs(volume, scratch / "mounted") as folder:
        fill(folder, NTFS_NAMES)
        Path(os.fsdecode(os.fsencode(folder) + b"/" + LONE_SURROGATE)).write_bytes(b"lone")
        for number in range(3):
            os.link(folder / "Case", folder / "many" / f"link {number}")
        with open(folder / "sparse", "wb") as file:
            file.seek(5 * MIB)
            file.write(b"end")
            file.truncate(6 * MIB)
        (folder / "compressed").mkdir()
        set_attributes(folder / "compressed", 0x810)
        (folder / "compressed" / "text").write_bytes(b"hello compression " * 60_000)
        (folder / "compressed" / "mixed").write_bytes(NOISE[:100_000] + bytes(200_000) + CODE)
        (folder / "has short name").write_bytes(b"one file, two names")
        os.setxattr(folder / "has short name", "system.ntfs_dos_name", b"HASSHO~1")
        for owner in ("many", "Case", "compressed/text"):
            for name, content in ((":zone", b"stream of " + owner.encode()), (":big", NOISE)):
                Path(f"{folder}/{owner}{name}").write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                key = f"/{owner}{name}".encode()
                streams[key] = Known(NodeKind.FILE, len(content), digest, 0)
        (folder / "read only").write_bytes(b"")
        set_attributes(folder / "read only", 0x1)
        truth = survey(folder)
    # A stream belongs to the file and is met with each of its names.
    for number in range(3):
        for stream in (b":zone", b":big"):
            streams[b"/many/link %d%s" % (number, stream)] = streams[b"/Case" + stream]
    return volume, truth | streams


@pytest.fixture(scope="session")
def linux_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ext can hold, with times that ext2's seconds can."""
    folder = tmp_path_factory.mktemp("ext")
    fill(folder, [*NAMES[1:3], "x" * 255, "new\nline", "tab\t"])
    (folder / os.fsdecode(b"\xff\xfe no text")).write_bytes(b"bytes")
    os.link(folder / "tab\t", folder / "many" / "hard link")
    (folder / "short link").symlink_to("/etc/passwd")
    (folder / "long link").symlink_to("/x" * 500)
    os.mkfifo(folder / "fifo")
    for name, start in (("sparse", 5 * MIB), ("very sparse", 70 * MIB)):
        with open(folder / name, "wb") as file:
            file.write(b"begin")
            file.seek(start)
            file.write(NOISE[:70_000])
    return folder
