"""Bodies that are too long are refused on their way, not after they were stored."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from console_ui.django_settings import LONGEST_BODY_BYTES
from tests.console.running import RunningConsole, running_console

_ENDLESS_BYTES = 1 << 40


def _pieces(count: int) -> Iterator[bytes]:
    yield from (bytes(65536) for _ in range(count))


def test_a_body_that_is_announced_too_long_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        connection = http.client.HTTPConnection(urlsplit(console.address).netloc)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(_ENDLESS_BYTES))
        connection.endheaders()
        answer = connection.getresponse()
        told = answer.read()
        connection.close()

    assert answer.status == 413
    assert b"longer than the console takes" in told
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_program_is_told_so_as_the_api_says_no(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        answer = httpx.post(
            f"{console.address}/api/v1/device/events", content=bytes(LONGEST_BODY_BYTES + 1)
        )

    assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
    assert answer.json()["message"]


def test_a_body_of_unknown_length_is_refused_and_takes_no_memory(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        before = _peak_kilobytes(console)
        for _ in range(3):
            assert _streamed(console, pieces=2048) in {413, None}
        grown = _peak_kilobytes(console) - before
        with httpx.Client(base_url=console.address) as client:
            assert client.get("/").status_code == 200

    # Three times 128 MiB were offered.
    assert grown < 64 * 1024


def test_a_password_as_long_as_a_book_is_just_wrong(tmp_path: Path) -> None:
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        client.get("/")
        form = {
            "csrfmiddlewaretoken": client.cookies["everboot-csrf"],
            "name": "mira@keller.example",
            "password": "x" * (LONGEST_BODY_BYTES - 1000),
        }
        answer = client.post("/", data=form)

    assert answer.status_code == 200
    assert json.dumps(form["password"]) not in answer.text
    assert len(answer.text) < 20_000


def _streamed(console: RunningConsole, *, pieces: int) -> int | None:
    """The answer's status; None when the console hung up while we were still talking."""
    try:
        return httpx.post(f"{console.address}/", content=_pieces(pieces)).status_code
    except httpx.TransportError:
        return None


def _peak_kilobytes(console: RunningConsole) -> int:
    """The most memory that the console's process ever had (VmHWM)."""
    status = Path(f"/proc/{_console_process(console)}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _console_process(console: RunningConsole) -> int:
    """The console runs below the tests' launcher."""
    started = console.server.process.pid
    below = Path(f"/proc/{started}/task/{started}/children").read_text().split()
    return int(below[0]) if below else started
