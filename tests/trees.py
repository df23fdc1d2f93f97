"""Random trees of files: a Hypothesis strategy, planting them on disk, and looking at them.

Content is told by a seed and a size, so that examples stay small to print and
cheap to make; sizes lie around the limits of the chunkers.
"""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from hypothesis import strategies as st

from backup_agent.chunking.content import AVERAGE_SIZE, MAX_SIZE, MIN_SIZE

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """``size`` bytes that a seed determines; seed 0 gives zeros."""

    seed: int
    size: int

    def bytes(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size) if self.seed else bytes(self.size)


@dataclass(frozen=True, slots=True)
class File:
    content: Content
    mode: int = 0o644
    mtime_ns: int = 0
    xattr: bytes = b""


@dataclass(frozen=True, slots=True)
class Link:
    target: bytes


@dataclass(frozen=True, slots=True)
class Fifo:
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class Folder:
    items: Mapping[bytes, Item]
    mode: int = 0o755
    mtime_ns: int = 0


Item: TypeAlias = File | Link | Fifo | Folder


@dataclass(frozen=True, slots=True)
class Found:
    """What a person would compare of one entry, before a backup and after a restore.

    ``content`` is a hash, a link's target or a device's number; ``same_as`` the
    first path with the same inode.
    """

    mode: int
    owner: tuple[int, int]
    mtime_ns: int
    content: str
    xattrs: tuple[tuple[str, bytes], ...]
    same_as: bytes


_SIZES = [0, 1, 100, 5000, MIN_SIZE - 1, MIN_SIZE, MIN_SIZE + 1, AVERAGE_SIZE, MAX_SIZE + 1]


def names() -> st.SearchStrategy[bytes]:
    """Anything Linux takes: every byte but NUL and the slash, up to 255 of them."""
    alphabet = st.integers(1, 255).filter(lambda byte: byte != ord("/"))
    short = st.lists(alphabet, min_size=1, max_size=8).map(bytes)
    odd = st.sampled_from(
        [b'"', b"\\", b"\n", b"\xff", b"a\xc3", "größe".encode(), b"<&>", b" ", b"x" * 255]
    )
    return st.one_of(short, odd).filter(lambda name: name not in (b".", b".."))


def contents() -> st.SearchStrategy[Content]:
    return st.builds(Content, st.integers(0, 3), st.sampled_from(_SIZES))


def _times() -> st.SearchStrategy[int]:
    return st.integers(-(2**31) * SECOND_NS, 2**33 * SECOND_NS)


def files() -> st.SearchStrategy[File]:
    modes = st.sampled_from([0o644, 0o600, 0o4755, 0o2711, 0o1777, 0o000])
    return st.builds(File, contents(), modes, _times(), st.binary(max_size=5))


_ANY_TARGET = st.lists(st.integers(1, 255), min_size=1, max_size=20).map(bytes)


def targets_of_text() -> st.SearchStrategy[bytes]:
    """What restic before 0.16 keeps unharmed, with no character Go's versions write in two ways."""
    characters = st.characters(codec="utf-8", exclude_characters="\0\b\f")
    return st.text(characters, min_size=1, max_size=10).map(str.encode)


def trees(
    *, links: st.SearchStrategy[bytes] = _ANY_TARGET, max_leaves: int = 8
) -> st.SearchStrategy[Folder]:
    """Folders of anything, a few levels deep; ``links`` gives what links point to."""
    leaves: st.SearchStrategy[Item] = st.one_of(
        files(),
        st.builds(Link, links),
        st.builds(Fifo, st.sampled_from([0o600, 0o644])),
    )
    return _folders(st.recursive(leaves, _folders, max_leaves=max_leaves))


def _folders(items: st.SearchStrategy[Item]) -> st.SearchStrategy[Folder]:
    modes = st.sampled_from([0o755, 0o700, 0o1777, 0o2755])
    return st.builds(Folder, st.dictionaries(names(), items, max_size=4), modes, _times())


def plant(item: Item, path: bytes) -> None:
    """Make it on disk; folders' times last, for planting in them changes those."""
    match item:
        case File(content, mode, mtime_ns, xattr):
            with open(path, "wb") as file:
                file.write(content.bytes())
            if xattr:
                os.setxattr(path, "user.everboot", xattr)
            os.chmod(path, mode)
            os.utime(path, ns=(mtime_ns, mtime_ns))
        case Link(target):
            os.symlink(target, path)
        case Fifo(mode):
            os.mkfifo(path, mode)
        case Folder(items, mode, mtime_ns):
            os.makedirs(path, exist_ok=True)
            for name, inner in items.items():
                plant(inner, os.path.join(path, name))
            os.chmod(path, mode)
            os.utime(path, ns=(mtime_ns, mtime_ns))
        case _:
            assert_never(item)


def survey(folder: bytes) -> dict[bytes, Found]:
    """Everything below a folder by its relative path, and the folder itself as ``.``."""
    found: dict[bytes, Found] = {}
    first: dict[tuple[int, int], bytes] = {}
    paths = [folder]
    while paths:
        path = paths.pop()
        name = os.path.relpath(path, folder)
        facts = os.lstat(path)
        if stat.S_ISDIR(facts.st_mode):
            paths += sorted((os.path.join(path, inner) for inner in os.listdir(path)), reverse=True)
        found[name] = Found(
            mode=facts.st_mode,
            owner=(facts.st_uid, facts.st_gid),
            mtime_ns=facts.st_mtime_ns,
            content=_content(path, facts),
            xattrs=tuple(
                (attribute, os.getxattr(path, attribute, follow_symlinks=False))
                for attribute in sorted(os.listxattr(path, follow_symlinks=False))
            ),
            same_as=first.setdefault((facts.st_dev, facts.st_ino), name),
        )
    return found


def _content(path: bytes, facts: os.stat_result) -> str:
    if stat.S_ISREG(facts.st_mode):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if stat.S_ISLNK(facts.st_mode):
        return os.readlink(path).hex()
    if stat.S_ISBLK(facts.st_mode) or stat.S_ISCHR(facts.st_mode):
        return str(facts.st_rdev)
    return ""
