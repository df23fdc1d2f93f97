"""Carrying out a prune plan, so that a crash anywhere costs nothing but time.

::

    delete packs in no index          what they hold, nothing refers to
    copy needed blobs to new packs    both places are whole
    save new index files              both places are known
    remove the old index files        the new place only
    delete the old packs              a later prune does, where listings may lag

After a crash the packs of the last step are packs in no index: the first step
of the next prune. That one comes first to make room on a full disk.
"""

from __future__ import annotations

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.repository.index import BlobIndex
from backup_agent.repository.inventory import refuse_present, refuse_unlisted, refuse_unseen
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.prune_plan import PrunePlan
from backup_agent.repository.reindex import remove_files, save_index_files
from backup_agent.repository.repack import repack
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey


def execute_prune(
    plan: PrunePlan,
    repository: Repository,
    *,
    lock: RepositoryLock,
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Carry the plan out under an exclusive lock, held since before it was made.

    Raises ``IntegrityError`` for a blob that does not survive being copied and
    for a plan out of date; ``RepositoryLockedError`` when the lock was lost.
    The index in memory is empty afterwards.
    """
    try:
        _refuse_outdated(plan, repository, lock)
        if plan.in_two_phases:
            # Marks of packs that were in use again meanwhile must not count.
            repository.witness.saw_unreferenced(plan.waiting)
        if swept := repository.backend.sweep():
            emit(Notice(f"Files left behind by saves that broke off, removed: {swept}."))
        remove_files(
            repository,
            FileKind.PACK,
            list(plan.unindexed),
            phase="delete packs in no index",
            before_each=lock.ensure_held,
            emit=emit,
            cancel=cancel,
        )
        new = repack(
            repository,
            [item.part for item in plan.repack],
            total_bytes=plan.repack_bytes,
            emit=emit,
            cancel=cancel,
        )
        lock.ensure_held()
        generation = save_index_files(repository, [*plan.index.carry, *new.packs])
        _refuse_outdated(plan, repository, lock, own=[*new.index_files, *generation])
        refuse_unlisted(repository, FileKind.INDEX, generation)
        remove_files(
            repository,
            FileKind.INDEX,
            [*plan.index.supersede, *new.index_files],
            phase="remove old indexes",
            before_each=lock.ensure_held,
            emit=emit,
            cancel=cancel,
        )
        if plan.in_two_phases:
            repository.witness.saw_unreferenced(plan.postponed)
            return
        remove_files(
            repository,
            FileKind.PACK,
            list(plan.emptied),
            phase="delete packs",
            before_each=lock.ensure_held,
            emit=emit,
            cancel=cancel,
        )
    finally:
        # It names packs that are gone; a backup that believed it would refer to them.
        repository.index = BlobIndex()


def _refuse_outdated(
    plan: PrunePlan, repository: Repository, lock: RepositoryLock, *, own: list[str] | None = None
) -> None:
    """A snapshot or index that this plan does not know may need what it removes."""
    lock.ensure_held()
    # A listing may go on naming those that were forgotten; so these are asked for one by one.
    refuse_unseen(repository, FileKind.SNAPSHOT, plan.snapshots | plan.forgotten)
    for forgotten in plan.forgotten:
        refuse_present(repository, ObjectKey(FileKind.SNAPSHOT, forgotten))
    refuse_unseen(repository, FileKind.INDEX, plan.index_files | set(own or ()))
