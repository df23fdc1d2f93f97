"""The one repository that is open, for as long as somebody looks at it."""

from __future__ import annotations

from contextlib import ExitStack

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, ignore
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.repositories import Access, BlobReader, Repository, opened, reading


class OpenRepository:
    """Opened once and used by many errands, each of which hears its news.

    Storage that is waited for is given up by :meth:`stop`; the next errand
    opens the repository anew, with the password that opened it before.
    """

    def __init__(self) -> None:
        self.emit: Emit = ignore
        self._access: Access | None = None
        self._cancel = CancelToken()
        self._stack = ExitStack()
        self._opened: tuple[Repository, BlobReader] | None = None
        self._browser: DeepBrowser | None = None

    def open(self, access: Access) -> Repository:
        """Another one instead. Raises as ``services.repositories.opened`` does."""
        self.close()
        self._access = access
        return self.parts()[0]

    def close(self) -> None:
        self._stack.close()
        self._opened = self._browser = None

    def stop(self) -> None:
        """Whoever waits for storage ends with ``JobCancelledError``. Any thread may ask for it."""
        self._cancel.cancel()

    def parts(self) -> tuple[Repository, BlobReader]:
        """The repository and a reader of it."""
        if self._cancel.cancelled:
            self.close()
            self._cancel = CancelToken()
        if self._opened is None:
            assert self._access is not None
            repository = self._stack.enter_context(
                opened(self._access, emit=self._tell, cancel=self._cancel)
            )
            reader = self._stack.enter_context(reading(repository, emit=self._tell))
            self._opened = repository, reader
        return self._opened

    def browse(self, point: str) -> DeepBrowser:
        """A restore point of it; the same as before, if it is the same point."""
        repository, reader = self.parts()
        if self._browser is None or self._browser.snapshot.id != point:
            snapshot = repository.snapshot(point)
            self._browser = self._stack.enter_context(
                DeepBrowser(reader, snapshot, emit=self._tell)
            )
        return self._browser

    def _tell(self, event: Event) -> None:
        self.emit(event)
