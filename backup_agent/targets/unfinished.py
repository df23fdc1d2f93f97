"""Files on their way: a temporary name until they are whole, and none for long after a crash.

A run that is killed leaves the file it was at. The next restore into the same folder removes it,
and must not take another run's file for it that is being written this moment. So each unfinished
file is locked (flock) by whoever writes it; the kernel lets go when that process dies, and a file
that can be locked is nobody's. Neither clocks nor process ids are asked, which mean nothing across
containers and network shares. Where a file system knows no such locks, leftovers stay.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from contextlib import suppress

_NAME = re.compile(rb"\.everboot-[0-9a-f]{16}\.part")
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
# Should someone put a fifo where the file was, opening it must not wait for a reader.
_REOPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_MODE = 0o600
"""What is half restored is for its owner's eyes only; the recorded mode comes last."""


def make_unfinished(*, within: int) -> tuple[bytes, int]:
    """A new, empty file below the folder ``within``, open for reading and writing; its name."""
    while True:
        name = b".everboot-%s.part" % secrets.token_hex(8).encode()
        descriptor = os.open(name, _CREATE, _MODE, dir_fd=within)
        # Another run may have looked between the two calls, and taken it for a leftover.
        if _hold(descriptor) and os.fstat(descriptor).st_nlink:
            return name, descriptor
        os.close(descriptor)


def reopen_unfinished(name: bytes, *, within: int) -> int:
    descriptor = os.open(name, _REOPEN, dir_fd=within)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it was replaced by something that is no file")
    _hold(descriptor)
    return descriptor


def remove_leftovers(*, within: int) -> None:
    """Remove what dead runs left in this folder; what cannot be removed stays and harms nobody."""
    with suppress(OSError):
        for name in map(os.fsencode, os.listdir(within)):
            if _NAME.fullmatch(name):
                with suppress(OSError):
                    _remove_if_dead(name, within=within)


def _remove_if_dead(name: bytes, *, within: int) -> None:
    descriptor = os.open(name, _LOOK, dir_fd=within)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=within)
    finally:
        os.close(descriptor)


def _hold(descriptor: int) -> bool:
    """Lock it for as long as it is open; false where somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without such locks, on which nobody can call it a leftover
    return True
