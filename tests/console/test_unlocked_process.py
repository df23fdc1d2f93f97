"""The process that holds a key: for how long, and what it gives away."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from django.db import connection

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.repositories import Access, opened, reading
from console_ui.django_settings import console_settings
from console_ui.unlocked.asking import RefusedByVaultError, UnlockedDoor, VaultLockedError
from console_ui.unlocked.door import connected, listening
from console_ui.unlocked.lifetime import Lifetime
from console_ui.unlocked.messages import (
    AskZip,
    DescribePoints,
    Folder,
    KeepSearch,
    ListFolder,
    Points,
    Reference,
    ZipState,
)
from console_ui.unlocked.references import Item, References, UnknownReferenceError
from console_ui.unlocked.service import Service
from console_ui.unlocked.starting import processes
from console_ui.unlocked.vault import UnlockedVault
from tests.command_line import PASSWORD
from tests.console.restoring import Restorer, Stored

IDLE, LONGEST = 900.0, 43_200.0


@dataclass
class Clock:
    """A clock that the test turns."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def served(stored: Stored, folder: Path, clock: Clock) -> Iterator[tuple[UnlockedDoor, Lifetime]]:
    """An unlocked vault, as the process has it, but within this one and with another clock."""
    access = Access(str(stored.folder), password=lambda: PASSWORD, environment={})
    lifetime = Lifetime(idle_seconds=IDLE, longest_seconds=LONGEST, clock=clock)
    with (
        opened(access, emit=ignore, cancel=CancelToken()) as repository,
        reading(repository, emit=ignore) as reader,
        closing(UnlockedVault(repository, reader)) as vault,
        listening(folder, "vault") as listener,
    ):
        service = Service(vault, secret="s", lifetime=lifetime, note_progress=lambda: None)
        thread = threading.Thread(target=_run, args=(service, listener))
        thread.start()
        try:
            yield UnlockedDoor(folder, "vault", "s"), lifetime
        finally:
            clock.now += LONGEST
            thread.join(30)
            assert not thread.is_alive()


def _run(service: Service, listener: socket.socket) -> None:
    service.run(listener)
    listener.close()


def test_a_vault_is_locked_after_fifteen_minutes_without_use(
    stored: Stored, tmp_path: Path
) -> None:
    clock = Clock()
    ask = DescribePoints((stored.files_point,))
    with served(stored, tmp_path, clock) as (door, lifetime):
        clock.now = IDLE - 1
        door.ask(ask, Points)
        clock.now += IDLE - 1
        door.ask(ask, Points)

        clock.now += IDLE
        assert lifetime.is_over
        _join_service()
        with pytest.raises(VaultLockedError):
            door.ask(ask, Points)


def _join_service() -> None:
    for thread in threading.enumerate():
        if thread.name.endswith("(_run)"):
            thread.join(30)


def test_looking_how_far_a_download_is_keeps_nothing_unlocked(
    stored: Stored, tmp_path: Path
) -> None:
    clock = Clock()
    with served(stored, tmp_path, clock) as (door, lifetime):
        clock.now = IDLE - 1

        assert not door.ask(AskZip("0" * 32), ZipState).has_begun

        assert lifetime.left_seconds == 1


def test_use_does_not_keep_a_vault_unlocked_for_ever() -> None:
    clock = Clock()
    lifetime = Lifetime(idle_seconds=IDLE, longest_seconds=LONGEST, clock=clock)

    while clock.now < LONGEST - IDLE:
        clock.now += IDLE - 1
        assert not lifetime.is_over
        lifetime.use()

    clock.now = LONGEST
    assert lifetime.is_over


def test_a_reference_of_another_restore_point_opens_nothing(stored: Stored, tmp_path: Path) -> None:
    with served(stored, tmp_path, Clock()) as (door, _):
        listed = door.ask(ListFolder(stored.files_point, "", 0, 10), Folder)
        reference = listed.entries[0].reference

        for point, wanted in ((stored.disk_point, reference), (stored.files_point, "0" * 32)):
            with pytest.raises(RefusedByVaultError):
                door.ask(ListFolder(point, wanted, 0, 10), Folder)


def test_references_are_the_same_for_the_same_thing_and_tell_nothing() -> None:
    item = Item("a" * 64, (b"home", b"Dear Till.txt"))
    mine, again, other = References(b"mine"), References(b"mine"), References(b"other")

    assert mine.give(item) == again.give(item) != other.give(item)
    assert mine.item(mine.give(item)) == item
    assert mine.give(Item("a" * 64, (b"home/Dear Till.txt",))) != mine.give(item)
    with pytest.raises(UnknownReferenceError):
        References(b"mine").item(mine.give(item))


def test_what_is_no_request_is_not_answered(stored: Stored, tmp_path: Path) -> None:
    with served(stored, tmp_path, Clock()) as (door, _):
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b""):
            with connected(tmp_path, "vault", timeout_seconds=30) as stream:
                stream.sendall(noise)
                stream.shutdown(socket.SHUT_WR)
                assert _heard(stream) == b""

        assert door.ask(KeepSearch(stored.files_point, "x"), Reference).reference


def _heard(stream: socket.socket) -> bytes:
    try:
        return stream.recv(100)
    except ConnectionResetError:
        # It was closed before all that noise was taken.
        return b""


def test_neither_password_nor_what_it_opens_lies_anywhere(mira: Restorer) -> None:
    point = mira.stored.files_point
    mira.unlock()
    addresses = [mira.at(point), f"{mira.at(point)}/{mira.reference(point, *mira.stored.where)}"]
    sent = mira.client.post(mira.at(point, "search"), {"words": "Dear Till"})
    addresses.append(sent.headers["Location"])
    assert mira.client.get(addresses[-1]).status_code == 200

    unlocked = mira.unlocked()
    process = psutil.Process(processes._running[unlocked.id.hex].pid)
    told = "\0".join([*process.cmdline(), *process.environ().values(), *addresses])
    for secret in (PASSWORD, unlocked.secret, unlocked.token, "Dear", "letters", "documents"):
        assert secret not in told
        assert secret not in _everything_in_the_database()
    assert [file.path for file in process.open_files()] == []
    folder = console_settings().unlocked_folder
    assert folder.stat().st_mode & 0o777 == 0o700
    # Sessions that other tests left open lie there, too.
    assert {file.is_socket() for file in folder.iterdir()} == {True}


def _everything_in_the_database() -> str:
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += (str(row) for row in cursor.fetchall())
    return "\n".join(found)
