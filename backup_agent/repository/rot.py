"""Packs that kept their place and their size and are not what they were: a bit turned over.

Only reading them to the last byte tells. Most blobs of such a pack are whole, for each is sealed
on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backup_agent.errors import ObjectNotFoundError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.finding import Finding, error
from backup_agent.model.ids import BlobId, PackId
from backup_agent.repository.check_packs import each_pack
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.pack_file import PackFlaw, examine_pack, pack_key
from backup_agent.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class RottenPack:
    """A pack that is not what it was; ``broken`` are those of its blobs that do not open."""

    pack: IndexedPack
    broken: frozenset[PackedBlob]

    @property
    def whole(self) -> tuple[PackedBlob, ...]:
        return tuple(blob for blob in self.pack.blobs if blob not in self.broken)


@dataclass(frozen=True, slots=True)
class Rot:
    """What reading the packs brought to light."""

    packs: tuple[RottenPack, ...]
    findings: tuple[Finding, ...]

    def without(self, packs: Mapping[PackId, IndexedPack]) -> dict[PackId, IndexedPack]:
        """The packs that are sound."""
        rotten = {found.pack.id for found in self.packs}
        return {pack: entry for pack, entry in packs.items() if pack not in rotten}

    def salvage(self, *, beside: Iterable[IndexedPack]) -> list[IndexedPack]:
        """The whole blobs that are in none of those packs, each once."""
        known = _blobs(beside)
        parts: list[IndexedPack] = []
        for found in self.packs:
            part = tuple(blob for blob in found.whole if (blob.kind, blob.id) not in known)
            known |= {(blob.kind, blob.id) for blob in part}
            if part:
                parts.append(IndexedPack(found.pack.id, part))
        return parts


def find_rot(
    repository: Repository,
    packs: Mapping[PackId, IndexedPack],
    sizes: Mapping[PackId, int],
    *,
    emit: Emit,
    cancel: CancelToken,
) -> Rot:
    """Read all of these packs; a damaged one is read twice before it is called so.

    One that storage does not hand out right now is told and left as it is.
    """

    def look(pack: IndexedPack) -> list[PackFlaw] | None:
        try:
            return examine_pack(repository, pack, BlobOpener(repository.sealer()))
        except ObjectNotFoundError:
            return None

    rotten: list[RottenPack] = []
    findings: list[Finding] = []
    looked_at = each_pack(
        "read packs",
        list(packs.values()),
        look,
        lambda pack: sizes[pack.id],
        emit=emit,
        cancel=cancel,
    )
    for pack, flaws in looked_at:
        path = pack_key(pack.id).path
        if flaws is None:
            findings.append(error(path, "it is listed, but the storage does not hand it out"))
        elif flaws:
            found = RottenPack(pack, frozenset(flaw.blob for flaw in flaws if flaw.blob))
            rotten.append(found)
            findings.append(_tell(found, flaws))
    return Rot(tuple(rotten), tuple(findings))


def _tell(found: RottenPack, flaws: list[PackFlaw]) -> Finding:
    return error(
        pack_key(found.pack.id).path,
        f"{flaws[0].message}; {len(found.broken)} of its {len(found.pack.blobs)} blobs are "
        "broken. It leaves the index and stays in its place until the next prune.",
        hint="Another backup of the same source saves again what is lost.",
    )


def _blobs(packs: Iterable[IndexedPack]) -> set[tuple[BlobKind, BlobId]]:
    return {(blob.kind, blob.id) for pack in packs for blob in pack.blobs}
