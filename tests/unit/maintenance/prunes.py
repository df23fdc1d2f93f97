"""What tests of prune ask: the plan for it, and what the indexes say."""

from __future__ import annotations

from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.repository.prune_plan import PrunePlan
from backup_agent.repository.repository import Repository
from backup_agent.services.prune import preview_prune


def plan(
    repository: Repository, *, allow_empty: bool = False, max_unused: float = 0.0
) -> PrunePlan:
    return preview_prune(
        repository,
        allow_empty=allow_empty,
        max_unused=max_unused,
        emit=ignore,
        cancel=CancelToken(),
    )


def indexed_packs(repository: Repository) -> dict[str, IndexedPack]:
    return {str(k): v for k, v in merge_packs(load_index_files(repository)).items()}


def data_pack(repository: Repository) -> str:
    """The name of a pack that holds file contents."""
    return next(
        name
        for name, pack in sorted(indexed_packs(repository).items())
        if pack.blobs[0].kind is BlobKind.DATA
    )
