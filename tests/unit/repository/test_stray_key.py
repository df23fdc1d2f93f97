"""A repository whose creation broke off once: a key stays that opens nothing."""

from __future__ import annotations

from backup_agent.crypto.cipher import MasterKey
from backup_agent.repository.keys import add_key
from backup_agent.repository.repository import create_repository, open_repository
from backup_agent.storage.memory import MemoryBackend
from tests.points import WEAK


def test_a_key_of_a_creation_that_broke_off_keeps_nobody_out() -> None:
    for _ in range(8):
        # Keys are tried in the order of their names, which are random.
        backend = MemoryBackend()
        add_key(backend, MasterKey.generate(), "password", parameters=WEAK)
        made = create_repository(backend, "password", parameters=WEAK)
        assert open_repository(backend, "password").config == made.config
