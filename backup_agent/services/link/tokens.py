"""Access tokens that renew themselves while a backup runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from backup_agent.services.link.console import Token

_RENEWED_BEFORE_SECONDS = 60
"""A request may wait in a queue for a while before it arrives."""


class TokenGiver(Protocol):
    """The part of ``ConsoleClient`` that tokens come from."""

    def fresh_token(self) -> Token: ...

    def close(self) -> None: ...


class DeviceTokens:
    """A ``TokenSource`` for one device. However many threads ask, one token is fetched."""

    def __init__(self, client: TokenGiver, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def current(self) -> str:
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                self._take(self._client.fresh_token())
            return self._token

    def instead_of(self, refused: str) -> str:
        with self._lock:
            # Another thread may have been refused, too, and have fetched one already.
            if self._token == refused:
                self._take(self._client.fresh_token())
            return self._token

    def close(self) -> None:
        self._client.close()

    def _take(self, token: Token) -> None:
        self._token = token.access_token
        self._good_until = self._clock() + token.expires_in - _RENEWED_BEFORE_SECONDS
