"""A lease that is renewed for as long as the work takes that it is for."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connections
from django.utils import timezone

from console_ui.storage.models import Lease

_log = logging.getLogger(__name__)

LENGTH = timedelta(minutes=30)
_RENEWED_EVERY_SECONDS = 300.0


class HeldLease:
    """Within the block, a thread renews what could be taken at its beginning.

    Afterwards it runs out by itself, or is taken again by the same holder.
    """

    def __init__(self, name: str, *, holder: str) -> None:
        self._name = name
        self._holder = holder
        self._ends_at = timezone.now()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease {name}", daemon=True)

    def __enter__(self) -> Self:
        self._take()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it yet: asked before each step, it costs nothing."""
        return timezone.now() < self._ends_at

    def _take(self) -> None:
        now = timezone.now()
        if Lease.take(self._name, holder=self._holder, now=now, length=LENGTH):
            self._ends_at = now + LENGTH
        else:
            self._ends_at = now

    def _keep(self) -> None:
        while self.is_held and not self._done.wait(_RENEWED_EVERY_SECONDS):
            try:
                self._take()
            except DatabaseError as exc:
                # It is held until its end, and there is time for some more tries.
                _log.warning("the lease %s could not be renewed: %s", self._name, exc)
            finally:
                connections.close_all()
