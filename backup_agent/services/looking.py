"""Looking at a repository that may be on read-only storage."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

from backup_agent.errors import AccessDeniedError
from backup_agent.model.events import Emit, Notice
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import Repository


def lock_if_allowed(repository: Repository, emit: Emit) -> AbstractContextManager[object]:
    """A shared lock where one can be written: for those who change nothing.

    Raises ``RepositoryLockedError``, ``StorageError``.
    """
    stack = ExitStack()
    try:
        stack.enter_context(RepositoryLock(repository))
    except AccessDeniedError:
        emit(Notice("The storage is read-only: looking without a lock."))
    return stack
