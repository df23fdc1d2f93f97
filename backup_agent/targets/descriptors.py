"""A bounded number of open descriptors, shared by threads, least recently used closed first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import RLock
from typing import Generic, TypeVar

from backup_agent.targets import posix

Key = TypeVar("Key", bound=Hashable)


class _Held:
    """One open descriptor and how many are using it; who uses it keeps it open."""

    __slots__ = ("descriptor", "users")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 0


class DescriptorCache(Generic[Key]):
    """Descriptors by key. All methods may be called from several threads at once.

    More than ``limit`` are open only while more than that are borrowed.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        # Reentrant: opening one descriptor may borrow another.
        self._lock = RLock()

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def pin(self, key: Key, descriptor: int) -> None:
        """Keep this one open until :meth:`close`."""
        held = _Held(descriptor)
        held.users = 1
        self._held[key] = held

    @contextmanager
    def borrow(self, key: Key, opener: Callable[[Key], int] | None = None) -> Iterator[int]:
        """The key's descriptor, opened by ``opener`` if need be, open at least inside the ``with``.

        Raises what ``opener`` raises, and ``KeyError`` without one.
        """
        with self._lock:
            held = self._held.get(key)
            if held is None:
                if opener is None:
                    raise KeyError(key)
                held = self._held[key] = _Held(opener(key))
            else:
                self._held.move_to_end(key)
            held.users += 1
            self._close_surplus()
        try:
            yield held.descriptor
        finally:
            with self._lock:
                held.users -= 1

    def add(self, key: Key, descriptor: int) -> None:
        """Hand over a descriptor opened elsewhere; one under the same key is closed."""
        with self._lock:
            self.discard(key)
            self._held[key] = _Held(descriptor)
            self._close_surplus()

    def discard(self, key: Key) -> None:
        """Close the key's descriptor now. Nobody may be using it."""
        with self._lock:
            held = self._held.pop(key, None)
            if held is not None:
                posix.close(held.descriptor)

    def close(self) -> None:
        """Close all. Nobody may be using one."""
        with self._lock:
            while self._held:
                _, held = self._held.popitem()
                posix.close(held.descriptor)

    def _close_surplus(self) -> None:
        surplus = len(self._held) - self._limit
        if surplus <= 0:
            return
        idle = (key for key, held in self._held.items() if held.users == 0)
        for key in list(islice(idle, surplus)):
            self.discard(key)
