"""A selection as a zip of known length, any span of it sent piece by piece to whoever asked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from backup_agent.model.cancel import CancelToken
from backup_agent.services.browse import TreePath
from backup_agent.services.repositories import BlobReader
from backup_agent.services.zip_plan import ZipPlan, plan_zip
from backup_agent.services.zip_span import (
    Checksums,
    DamagedMemberError,
    UnreadableMemberError,
    zip_span,
)
from console_ui.unlocked.messages import SendZip, ZipHead, ZipState
from console_ui.unlocked.references import Item, Selection
from console_ui.unlocked.shown import shown_name
from console_ui.unlocked.vault import UnlockedVault

_PIECE_BYTES = 256 << 10
_KEPT_SUMS = 16
_KEPT_STATES = 256
_DONE_WITHOUT = "it is damaged in the restore point, and was done without"
_NOT_BEGUN = ZipState(
    has_begun=False,
    is_running=False,
    bytes_done=0,
    bytes_total=0,
    left_out=0,
)


class Zips:
    """All zips of one vault. Kept is how far they are, and the checksums of what was sent, so that
    a transfer that broke off goes on where it was; never their bytes.
    """

    def __init__(self, vault: UnlockedVault) -> None:
        self._vault = vault
        self._works: OrderedDict[str, _Work] = OrderedDict()
        self._sums: OrderedDict[str, Checksums] = OrderedDict()
        self._unreadable: dict[str, dict[TreePath, str]] = {}
        self._lock = threading.Lock()

    def state(self, reference: str) -> ZipState:
        """How far the latest zip of that selection is, or was when it ended."""
        with self._lock:
            work = self._works.get(reference)
        return work.state if work else _NOT_BEGUN

    @contextmanager
    def planned(self, reference: str, *, cancel: CancelToken) -> Iterator[PlannedZip]:
        """Raises whatever ``plan_zip`` raises, ``UnknownReferenceError``."""
        selection = self._vault.references.selection(reference)
        with self._vault.browser(selection.point) as browser:
            plan = plan_zip(
                browser,
                selection.paths,
                key=self._vault.references.key,
                unreadable={
                    **self._unreadable.get(selection.point, {}),
                    **dict.fromkeys(selection.without, _DONE_WITHOUT),
                },
                cancel=cancel,
            )
            yield PlannedZip(reference, selection, plan, self._vault.download_reader)

    def send(
        self,
        zipped: PlannedZip,
        wanted: SendZip,
        send: Callable[[bytes], None],
        *,
        cancel: CancelToken,
    ) -> None:
        """A span of the zip. ``send`` blocks for as long as the other side takes nothing; nothing
        at all is sent as a sign of life. Raises whatever ``zip_span`` raises, and ``send``.
        """
        work = _Work(zipped.plan, wanted.start)
        pieces = zip_span(
            zipped.plan,
            zipped.reader,
            self._sums_of(zipped.plan),
            start=wanted.start,
            end=wanted.end,
            cancel=cancel,
        )
        with self._working(zipped.reference, work):
            try:
                for piece in _worth_sending(pieces):
                    send(piece)
                    work.position += len(piece)
            except UnreadableMemberError as exc:
                with self._lock:
                    known = self._unreadable.get(zipped.selection.point, {})
                    self._unreadable[zipped.selection.point] = {**known, exc.path: exc.message}
                raise
            except DamagedMemberError as exc:
                # Nothing is left out of a zip for that, unless somebody says so.
                work.damaged = shown_name(b"/".join(exc.path))
                work.without = self._without(zipped.selection, exc.path)
                raise

    def _without(self, selection: Selection, damaged: TreePath) -> tuple[str, ...]:
        paths = (*selection.without, damaged)
        give = self._vault.references.give
        return tuple(give(Item(selection.point, path)) for path in paths)

    def _sums_of(self, plan: ZipPlan) -> Checksums:
        with self._lock:
            sums = self._sums.pop(plan.tag, None) or Checksums(plan)
            self._sums[plan.tag] = sums
            if len(self._sums) > _KEPT_SUMS:
                self._sums.popitem(last=False)
        return sums

    @contextmanager
    def _working(self, reference: str, work: _Work) -> Iterator[None]:
        with self._lock:
            self._works[reference] = work
            self._works.move_to_end(reference)
            if len(self._works) > _KEPT_STATES:
                self._works.popitem(last=False)
        try:
            yield
        finally:
            work.end()


@dataclass(frozen=True, slots=True)
class PlannedZip:
    """What is about to be sent, and how it is read."""

    reference: str
    selection: Selection
    plan: ZipPlan
    reader: BlobReader

    @property
    def head(self) -> ZipHead:
        return ZipHead(size=self.plan.size, tag=self.plan.tag, left_out=len(self.plan.left_out))


class _Work:
    """How far one zip is. The plan, which names everything, goes with its end."""

    def __init__(self, plan: ZipPlan, position: int) -> None:
        self.position = position
        self.damaged = ""
        self.without: tuple[str, ...] = ()
        self._plan: ZipPlan | None = plan
        self._last = _NOT_BEGUN

    def end(self) -> None:
        self._last = msgspec.structs.replace(self.state, is_running=False)
        self._plan = None

    @property
    def state(self) -> ZipState:
        plan = self._plan
        if plan is None:
            return self._last
        return ZipState(
            has_begun=True,
            is_running=True,
            bytes_done=self.position,
            bytes_total=plan.size,
            left_out=len(plan.left_out),
            damaged=self.damaged,
            without=self.without,
        )


def _worth_sending(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Small ones together, large ones in parts: each is copied several times on its way, and who
    reads slowly holds all the copies. An empty one, which is a sign of life, as it comes.
    """
    pending = bytearray()
    for piece in pieces:
        for start in range(0, len(piece), _PIECE_BYTES):
            pending += memoryview(piece)[start : start + _PIECE_BYTES]
            if len(pending) >= _PIECE_BYTES:
                yield bytes(pending[:_PIECE_BYTES])
                del pending[:_PIECE_BYTES]
        if not piece:
            yield bytes(pending)
            pending.clear()
    if pending:
        yield bytes(pending)
