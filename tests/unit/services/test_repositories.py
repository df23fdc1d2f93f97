"""Opening and creating by address: what is opened is closed again, also when it fails."""

from __future__ import annotations

import pytest

from backup_agent.errors import RepositoryExistsError
from backup_agent.model.events import ignore
from backup_agent.services import repositories
from backup_agent.services.repositories import Access, create
from backup_agent.storage.memory import MemoryBackend
from tests.unit.maintenance import workshop


class _Closing(MemoryBackend):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_creating_closes_the_storage_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = _Closing()
    workshop.create(backend)
    monkeypatch.setattr(repositories, "open_backend", lambda *_, **__: backend)
    with pytest.raises(RepositoryExistsError):
        create(Access("memory", lambda: "a password", {}), emit=ignore)
    assert backend.closed
