"""A backend whose requests do not keep anybody who wants to stop.

A server that hangs says nothing for a minute, and no HTTP library lets another
thread cut a request off. So each runs in a thread of its own, which whoever
cancels leaves behind: it ends with its time-out, or with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TypeVar

from backup_agent.errors import JobCancelledError
from backup_agent.model.cancel import CancelToken
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey

_T = TypeVar("_T")
_PARTING_SECONDS = 5.0
"""What is begun after the cancel, the removal of a lock above all, gets so long."""
_LISTED_AT_ONCE = 1000


class CancellableBackend:
    """Raises ``JobCancelledError`` from what is under way once ``cancel`` is set."""

    def __init__(
        self, inner: Backend, cancel: CancelToken, *, parting_seconds: float = _PARTING_SECONDS
    ) -> None:
        self._inner = inner
        self._cancel = cancel
        self._parting_seconds = parting_seconds

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._run(self._inner.prepare)

    def save(self, key: ObjectKey, data: Data) -> None:
        self._run(lambda: self._inner.save(key, data))

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._run(lambda: self._inner.load(key, offset, length))

    def size(self, key: ObjectKey) -> int:
        return self._run(lambda: self._inner.size(key))

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        listing = self._inner.list(kind)
        while found := self._run(lambda: tuple(islice(listing, _LISTED_AT_ONCE))):
            yield from found

    def remove(self, key: ObjectKey) -> None:
        self._run(lambda: self._inner.remove(key))

    def sweep(self) -> int:
        return self._run(self._inner.sweep)

    def close(self) -> None:
        self._inner.close()

    def _run(self, request: Callable[[], _T]) -> _T:
        ended: SimpleQueue[Future[_T] | None] = SimpleQueue()

        def work() -> None:
            answer: Future[_T] = Future()
            try:
                answer.set_result(request())
            except BaseException as exc:  # raised again where it is waited for
                answer.set_exception(exc)
            ended.put(answer)

        late = self._cancel.cancelled
        with nullcontext() if late else self._cancel.waking(ended):
            threading.Thread(target=work, name="request", daemon=True).start()
            try:
                answer = ended.get(timeout=self._parting_seconds if late else None)
            except Empty:
                answer = None
        if answer is None:
            raise JobCancelledError("Stopped as asked, in the middle of a request.")
        return answer.result()
