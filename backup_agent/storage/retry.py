"""A backend that tries again where trying again may help."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from backup_agent.errors import StorageError, TransientStorageError
from backup_agent.model.events import Emit, TryingAgain, ignore
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long. Pauses double from ``first_pause_seconds`` to the longest one.

    A line that was up and fails comes back, a mistyped address does not:
    until the place has answered once, ``first_tries`` is the limit.
    """

    tries: int = 20
    first_tries: int = 5
    total_seconds: float = 900
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60


class RetryingBackend:
    """Repeats what failed with ``TransientStorageError``; every other error is final.

    ``wait`` lets seconds pass and may raise to end the trying, as
    :meth:`~backup_agent.model.cancel.CancelToken.wait` does. ``clock`` tells monotonic
    seconds, ``jitter`` a number from 0 to 1. ``emit`` hears of every pause.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        wait: Callable[[float], None],
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        patience: Patience = Patience(),
        emit: Emit = ignore,
    ) -> None:
        self._inner = inner
        self._wait = wait
        self._clock = clock
        self._jitter = jitter
        self._patience = patience
        self._emit = emit
        self._answered = False

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._repeat(self._inner.prepare)

    def save(self, key: ObjectKey, data: Data) -> None:
        self._repeat(lambda: self._inner.save(key, data))

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        def attempt() -> bytes:
            try:
                return self._inner.load(key, offset, length)
            except TransientStorageError as exc:
                if length is not None and self._inner.size(key) < offset + length:
                    # Not a body cut on its way: the object is shorter, and stays so.
                    raise StorageError(exc.message, hint=exc.hint) from exc
                raise

        return self._repeat(attempt)

    def size(self, key: ObjectKey) -> int:
        return self._repeat(lambda: self._inner.size(key))

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        # A second try begins anew, and servers keep no order: what was told before is left out.
        told: set[str] = set()
        started, failed = self._clock(), 0
        while True:
            try:
                for info in self._inner.list(kind):
                    if info.name not in told:
                        told.add(info.name)
                        yield info
            except TransientStorageError as exc:
                failed += 1
                self._pause(failed, started, exc)
            else:
                self._answered = True
                return

    def remove(self, key: ObjectKey) -> None:
        self._repeat(lambda: self._inner.remove(key))

    def sweep(self) -> int:
        return self._repeat(self._inner.sweep)

    def close(self) -> None:
        self._inner.close()

    def _repeat(self, work: Callable[[], _T]) -> _T:
        started, failed = self._clock(), 0
        while True:
            try:
                result = work()
            except TransientStorageError as exc:
                failed += 1
                self._pause(failed, started, exc)
            else:
                self._answered = True
                return result

    def _pause(self, failed: int, started: float, error: TransientStorageError) -> None:
        """Wait before the next try, or raise ``error`` when patience is at its end."""
        patience = self._patience
        pause = min(
            patience.longest_pause_seconds, patience.first_pause_seconds * 2.0 ** (failed - 1)
        )
        # Between half and all of it, so that threads that failed together do not return together.
        pause *= 0.5 + self._jitter() / 2
        tries = patience.tries if self._answered else patience.first_tries
        if failed >= tries or self._clock() + pause - started > patience.total_seconds:
            raise error
        self._emit(TryingAgain(f"{error.message}. Trying again in {pause:.0f} s.", pause))
        self._wait(pause)
