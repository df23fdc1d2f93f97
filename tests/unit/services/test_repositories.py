"""Opening and creating by address: what is opened is closed again, also when it fails."""

from __future__ import annotations

import pytest

from backup_agent.cli.options import CommonOptions
from backup_agent.errors import RepositoryExistsError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services import repositories
from backup_agent.services.repositories import Access, create
from backup_agent.storage.memory import MemoryBackend
from tests.unit.maintenance import workshop


class _Closing(MemoryBackend):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_what_holds_an_address_does_not_print_its_credentials() -> None:
    address = "rest:https://ada:lovelace@example.org/"
    assert "lovelace" not in repr(Access(address, lambda: "a password", {}))
    assert "lovelace" not in repr(CommonOptions(repository=address))


def test_creating_closes_the_storage_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = _Closing()
    workshop.create(backend)
    monkeypatch.setattr(repositories, "open_backend", lambda *_, **__: backend)
    with pytest.raises(RepositoryExistsError):
        create(Access("memory", lambda: "a password", {}), emit=ignore, cancel=CancelToken())
    assert backend.closed
