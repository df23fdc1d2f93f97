"""A backend that leaves room on the line for others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey

_SMALLEST_PIECE = 64 * 1024
"""Below this a request's own overhead would outweigh the bytes it fetches."""


class Throttle:
    """A token bucket without a store: bytes are paid for before they travel.

    At no time have more than ``bytes_per_second`` times the elapsed seconds
    passed, whatever the number of threads. 0 is no limit; a function is asked for each payment,
    for limits that depend on the time of day. ``clock`` tells monotonic
    seconds; ``wait`` lets seconds pass and may raise to end the waiting, as
    :meth:`~backup_agent.model.cancel.CancelToken.wait` does.
    """

    def __init__(
        self,
        bytes_per_second: int | Callable[[], int],
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None],
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._paid_until = 0.0

    @property
    def bytes_per_second(self) -> int:
        """At this moment."""
        return self._rate if isinstance(self._rate, int) else self._rate()

    def pay(self, size: int) -> None:
        """Wait until ``size`` bytes may travel."""
        rate = self.bytes_per_second
        if not rate or not size:
            return
        with self._lock:
            now = self._clock()
            self._paid_until = max(now, self._paid_until) + size / rate
            pause = self._paid_until - now
        self._wait(pause)


class ThrottledBackend:
    """Pays for every object's bytes, but those of locks. All threads share the two throttles.

    A large read is made in pieces of a second each, so that it flows evenly.
    A save is one request: it waits, then goes out at the line's speed. A lock
    that queued for its few bytes behind packs could lapse there.
    """

    def __init__(self, inner: Backend, *, upload: Throttle, download: Throttle) -> None:
        self._inner = inner
        self._upload = upload
        self._download = download

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._inner.prepare()

    def save(self, key: ObjectKey, data: Data) -> None:
        if key.kind is not FileKind.LOCK:
            self._upload.pay(len(data))
        self._inner.save(key, data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        if not self._download.bytes_per_second or key.kind is FileKind.LOCK:
            return self._inner.load(key, offset, length)
        if length is None:
            length = max(0, self._inner.size(key) - offset)
        pieces = [
            self._load_piece(key, start, size) for start, size in self._pieces(offset, length)
        ]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def size(self, key: ObjectKey) -> int:
        return self._inner.size(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        return self._inner.list(kind)

    def remove(self, key: ObjectKey) -> None:
        self._inner.remove(key)

    def sweep(self) -> int:
        return self._inner.sweep()

    def close(self) -> None:
        self._inner.close()

    def _pieces(self, offset: int, length: int) -> Sequence[tuple[int, int]]:
        step = max(self._download.bytes_per_second, _SMALLEST_PIECE)
        starts = range(offset, offset + length, step) or [offset]
        return [(start, min(step, offset + length - start)) for start in starts]

    def _load_piece(self, key: ObjectKey, offset: int, length: int) -> bytes:
        self._download.pay(length)
        return self._inner.load(key, offset, length)
