"""A block device whose bytes this process makes up, by the kernel's network block device.

The kernel sends each read and write through a socket, and a thread here
answers; nothing of it touches the network. Of the protocol only its
transmission phase is needed (NetworkBlockDevice/nbd, doc/proto.md), all big
endian::

    request   25609513 | flags 2 | command 2 | cookie 8 | offset 8 | length 4 | data of a write
    reply     67446698 | error 4 | cookie 8                                  | data of a read

The device lasts as long as this process at most: when it dies, the kernel sees
the socket close, fails what is under way and takes the device back.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from threading import Thread

from backup_agent.errors import CommandFailedError, HostError, UnsupportedError
from backup_agent.host.api import BlockContent
from backup_agent.host.command import run

_REQUEST = struct.Struct(">IHHQQI")
_REPLY = struct.Struct(">IIQ")
_REQUEST_MAGIC = 0x25609513
_REPLY_MAGIC = 0x67446698

# <linux/nbd.h>
_SET_SOCK, _SET_BLKSIZE, _DO_IT, _CLEAR_SOCK, _SET_SIZE_BLOCKS, _DISCONNECT_NOW = (
    0xAB00 + number for number in (0, 1, 3, 4, 7, 8)
)
# <linux/prctl.h>
_PR_SET_IO_FLUSHER = 57
_MODPROBE_SECONDS = 60
_READY_SECONDS = 60


class _Command(IntEnum):
    READ = 0
    WRITE = 1
    DISCONNECT = 2


def offers_block_devices() -> bool:
    """Whether :func:`block_device` can work: for root, where the kernel has the driver."""
    if os.geteuid() != 0:
        return False
    if not _devices():
        with contextlib.suppress(HostError):
            run(("modprobe", "nbd", "max_part=0"), timeout_seconds=_MODPROBE_SECONDS)
    return bool(_devices())


@contextmanager
def block_device(content: BlockContent) -> Iterator[str]:
    """The path of a device with that content, for the block; it is used by one thread at a time.

    When the block ends, all that was written to the device has been written
    to ``content``. What ``content`` raised meanwhile is raised again then,
    instead of whatever the block made of the I/O error. Raises
    :class:`UnsupportedError` where there is no such device to be had.
    """
    if not offers_block_devices():
        raise UnsupportedError(
            "This computer's kernel offers no network block devices (nbd) to this user.",
            hint="Run Everboot as root, on a kernel with the module nbd.",
        )
    ours, kernels = socket.socketpair()
    server = _Server(content, ours)
    server.start()
    try:
        with kernels, _attached(kernels, content) as path:
            yield path
    finally:
        # The kernel has let go of its end by now: a server it never spoke to wakes, too.
        server.join()
        if server.failure:
            raise server.failure


@contextmanager
def _attached(connection: socket.socket, content: BlockContent) -> Iterator[str]:
    """Let a free device speak through the connection, and take it back after the block."""
    file, path = _claim(connection)
    try:
        fcntl.ioctl(file, _SET_BLKSIZE, content.sector_size)
        fcntl.ioctl(file, _SET_SIZE_BLOCKS, content.size // content.sector_size)
        work = _KernelWork(file)
        work.start()
        try:
            _wait_until_ready(path, work)
            yield path
            os.fsync(file)
        finally:
            fcntl.ioctl(file, _DISCONNECT_NOW)
            work.join()
    finally:
        fcntl.ioctl(file, _CLEAR_SOCK)
        os.close(file)


def _claim(connection: socket.socket) -> tuple[int, str]:
    for device in _devices():
        path = f"/dev/{device.name}"
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(file, _SET_SOCK, connection.fileno())
            return file, path
        except OSError as exc:
            os.close(file)
            if exc.errno != errno.EBUSY:
                raise
    raise UnsupportedError(
        "All network block devices (nbd) of this computer are in use.",
        hint="End what uses them; lsblk shows it.",
    )


def _wait_until_ready(path: str, work: _KernelWork) -> None:
    """The kernel says nothing when it is; the size appears last."""
    size = Path("/sys/class/block", Path(path).name, "size")
    deadline = time.monotonic() + _READY_SECONDS
    while int(size.read_text()) == 0:
        if not work.is_alive() or time.monotonic() > deadline:
            raise CommandFailedError(f"{path} could not be set up: {work.error or 'no answer'}")
        time.sleep(0.005)


def _devices() -> list[Path]:
    """``/sys/block/nbd0`` and so on; their partitions are not among them."""
    return sorted(Path("/sys/block").glob("nbd*"))


class _KernelWork(Thread):
    """The call in which the kernel stays as long as there is the device."""

    def __init__(self, file: int) -> None:
        super().__init__(name="nbd-kernel", daemon=True)
        self._file = file
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            fcntl.ioctl(self._file, _DO_IT)
        except OSError as exc:
            self.error = exc


class _Server(Thread):
    """Answers the kernel, one request after the other, until it says goodbye."""

    def __init__(self, content: BlockContent, connection: socket.socket) -> None:
        super().__init__(name="nbd-server", daemon=True)
        self._content = content
        self._connection = connection
        self.failure: Exception | None = None

    def run(self) -> None:
        _never_wait_for_own_writes()
        with self._connection, contextlib.suppress(ConnectionError):
            while self._answer():
                pass

    def _answer(self) -> bool:
        _, _, command, cookie, offset, length = _REQUEST.unpack(self._receive(_REQUEST.size))
        if command == _Command.DISCONNECT:
            return False
        data = self._receive(length) if command == _Command.WRITE else b""
        error, answer = self._obey(command, offset, length, data)
        self._connection.sendall(_REPLY.pack(_REPLY_MAGIC, error, cookie) + answer)
        return True

    def _obey(self, command: int, offset: int, length: int, data: bytes) -> tuple[int, bytes]:
        try:
            match command:
                case _Command.READ:
                    return 0, self._content.read(offset, length)
                case _Command.WRITE:
                    self._content.write(offset, data)
                    return 0, b""
                case _:
                    return errno.EINVAL, b""
        # The kernel takes numbers only; what was wrong is kept for whoever served the device.
        except Exception as exc:
            self.failure = self.failure or exc
            return errno.EIO, b""

    def _receive(self, size: int) -> bytes:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._connection.recv_into(view)
            if not count:
                raise ConnectionResetError
            view = view[count:]
        return bytes(data)


def _never_wait_for_own_writes() -> None:
    """Tell the kernel that this thread serves a block device (prctl(2), PR_SET_IO_FLUSHER).

    Short of memory, it could otherwise make this thread wait until pages of
    that very device are written, which only this thread can do. Older kernels
    (before 5.6) do not know it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_IO_FLUSHER, 1, 0, 0, 0)
