"""A selection as a zip, sent piece by piece to whoever asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backup_agent.errors import EverbootError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, ItemSkipped, Notice, Progress
from backup_agent.model.node import NodeKind
from backup_agent.services.browse import Found
from backup_agent.services.zip import zip_files
from console_ui.unlocked.messages import ZipState
from console_ui.unlocked.references import Selection
from console_ui.unlocked.vault import UnlockedVault

_PIECE_BYTES = 256 << 10
_NOT_BEGUN = ZipState(
    has_begun=False,
    is_running=False,
    files_done=0,
    files_total=0,
    bytes_done=0,
    bytes_total=0,
    left_out=0,
)


class Zips:
    """All zips of one vault. Only how far they are is kept, never their bytes."""

    def __init__(self, vault: UnlockedVault) -> None:
        self._vault = vault
        self._works: dict[str, _Work] = {}
        self._lock = threading.Lock()

    def state(self, reference: str) -> ZipState:
        """How far the latest zip of that selection is, or was when it ended."""
        with self._lock:
            work = self._works.get(reference)
        return work.state if work else _NOT_BEGUN

    def send(self, reference: str, send: Callable[[bytes], None], *, cancel: CancelToken) -> int:
        """All of the zip; returns how many things had to be left out.

        ``send`` blocks for as long as the other side takes nothing. Raises whatever
        ``zip_files`` raises, ``UnknownReferenceError``, and what ``send`` raises.
        """
        selection = self._vault.references.selection(reference)
        outlet = _Outlet(send)
        with self._working(reference) as work:
            counter = threading.Thread(
                target=self._count, args=(selection, work, cancel), name="count", daemon=True
            )
            counter.start()
            with (
                self._vault.reader() as reader,
                self._vault.browser(selection.point) as browser,
            ):
                zip_files(
                    reader,
                    browser,
                    outlet,
                    selection=selection.paths,
                    emit=work.hear,
                    cancel=cancel,
                )
            outlet.flush()
        return work.left_out

    def _count(self, selection: Selection, work: _Work, cancel: CancelToken) -> None:
        """What the zip will have to hold, while it is being sent already."""
        files = size = 0
        try:
            with self._vault.browser(selection.point) as browser:
                for step in browser.walk(selection.paths):
                    if not work.is_running or cancel.cancelled:
                        return
                    if isinstance(step, Found) and step.node.kind is NodeKind.FILE:
                        files += 1
                        size += step.node.size
        except EverbootError:
            # The zip itself meets the same, and tells.
            return
        work.files_total, work.bytes_total = files, size

    @contextmanager
    def _working(self, reference: str) -> Iterator[_Work]:
        work = _Work()
        with self._lock:
            self._works[reference] = work
        try:
            yield work
        finally:
            work.is_running = False


class _Work:
    """How far one zip is."""

    def __init__(self) -> None:
        self.is_running = True
        self.left_out = 0
        self.files_total = self.bytes_total = 0
        self._files = self._bytes = 0

    def hear(self, event: Event) -> None:
        match event:
            case Progress(files_done=files, bytes_done=size):
                self._files, self._bytes = files, size
            case ItemSkipped():
                self.left_out += 1
            case Notice():
                pass

    @property
    def state(self) -> ZipState:
        return ZipState(
            has_begun=True,
            is_running=self.is_running,
            files_done=self._files,
            files_total=self.files_total,
            bytes_done=self._bytes,
            bytes_total=self.bytes_total,
            left_out=self.left_out,
        )


class _Outlet:
    """A ``targets.zip.Sink`` that sends what it is given in pieces worth sending."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._pending = bytearray()

    def write(self, data: bytes, /) -> int:
        self._pending += data
        if len(self._pending) >= _PIECE_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._pending:
            self._send(bytes(self._pending))
            self._pending.clear()
