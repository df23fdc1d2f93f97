"""A zip of 5 GiB for somebody who reads slowly: what the server's processes take meanwhile."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.command_line import PASSWORD, CommandLine
from tests.console.fleet import offer_zip, processes_of
from tests.console.live_owner import LiveOwner, become_owner
from tests.console.running import running_console

MIB = 1 << 20
BLOCK_BYTES, BLOCKS = 64 * MIB, 80
PAUSE_AFTER_BYTES = 512 * MIB
RECEIVED_AT_ONCE = 64 << 10
MOST_ON_ITS_WAY = 8 * MIB
MOST_OF_ONE_PROCESS = 150 * MIB


@pytest.mark.full
def test_five_gibibytes_for_a_slow_reader_take_no_more_memory_than_a_few(
    tmp_path: Path, weak_keys: None
) -> None:
    root = tmp_path / "vaults"
    root.mkdir()
    repository = large_repository(tmp_path)
    with (
        running_console(tmp_path, "--storage-root", str(root)) as console,
        httpx.Client(base_url=console.address, timeout=120) as http,
    ):
        owner = become_owner(console, http)
        address = offer_zip(owner, root, repository, PASSWORD)
        server, (worker,) = processes_of(owner)
        before = {pid: forget_peak(pid) for pid in (server.pid, worker.pid)}

        with asked(owner, address) as reader:
            received = read_slowly(reader, owner, address)

        peaks = {pid: peak_bytes(pid) for pid in before}
    assert received == reader.size > BLOCK_BYTES * BLOCKS
    for name, pid in (("server", server.pid), ("worker", worker.pid)):
        print(f"{name}: {before[pid] // MIB} MiB before, {peaks[pid] // MIB} MiB at most")
    assert max(peaks.values()) < MOST_OF_ONE_PROCESS, (before, peaks)


def large_repository(folder: Path) -> Path:
    """One file of many gibibytes in a repository of few: the same blobs again and again."""
    shell = CommandLine(folder)
    shell.ok("init")
    file = folder / "large.bin"
    block = random.Random(11).randbytes(BLOCK_BYTES)
    with open(file, "wb") as writing:
        writing.writelines(block for _ in range(BLOCKS))
    shell.ok("backup", file)
    file.unlink()
    return shell.repository


@dataclass(slots=True)
class Reader:
    """A browser with hardly any room: what it does not take stays with the server."""

    stream: socket.socket
    size: int
    received: int = 0

    def read_until(self, received: int) -> None:
        while self.received < received:
            data = self.stream.recv(min(RECEIVED_AT_ONCE, received - self.received))
            assert data, "it broke off"
            self.received += len(data)


@contextmanager
def asked(owner: LiveOwner, address: str) -> Iterator[Reader]:
    """The answer's head is read."""
    place = urlsplit(owner.console.address)
    cookies = "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items())
    head = f"GET {address} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookies}\r\n\r\n"
    with socket.socket() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_AT_ONCE)
        stream.connect(("127.0.0.1", place.port))
        stream.sendall(head.encode())
        told = b""
        while not told.endswith(b"\r\n\r\n"):
            told += stream.recv(1)
        lines = dict(line.split(": ", 1) for line in told.decode().lower().split("\r\n")[1:-2])
        yield Reader(stream, int(lines["content-length"]))


def read_slowly(reader: Reader, owner: LiveOwner, address: str) -> int:
    """Stop now and then until the server has stopped too: little is on its way then."""
    while reader.received < reader.size:
        reader.read_until(min(reader.size, reader.received + PAUSE_AFTER_BYTES))
        if reader.received < reader.size:
            assert sent_when_stalled(owner, address) - reader.received < MOST_ON_ITS_WAY
    return reader.received


def sent_when_stalled(owner: LiveOwner, address: str) -> int:
    sent = -1
    while (now := int(owner.http.get(f"{address}/state").json()["bytes_done"])) != sent:
        sent = now
    return sent


def forget_peak(pid: int) -> int:
    """From here on the peak is counted anew; what the process takes now (proc(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_bytes(pid)


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10
