"""How much may be fetched before anybody wants it, by all that read at once."""

from __future__ import annotations

import threading

_SHARE = 4


class ReadAhead:
    """So many bytes for all streams together. For several threads.

    Nobody waits here, for who reads slowly keeps what it was granted for as long as it likes. A
    stream that is granted nothing goes on with one blob at a time.
    """

    def __init__(self, total_bytes: int) -> None:
        self._left = total_bytes
        self._lock = threading.Lock()

    def grant(self, wanted: int) -> int:
        """At most the bytes that are wanted, and a quarter of what is left: others may come."""
        with self._lock:
            granted = min(wanted, self._left // _SHARE)
            self._left -= granted
            return granted

    def give_back(self, granted: int) -> None:
        with self._lock:
            self._left += granted
