"""New disk and partition ids, for when the original disk stays attached.

They are derived and not drawn, so that an interrupted restore, started again,
plans the same: SHA-256 over the old id and what names this restore.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace

from backup_agent.model.disk import PartitionTable, TableKind


def with_new_ids(table: PartitionTable, purpose: str) -> PartitionTable:
    """The table with a new disk GUID and partition GUIDs, or a new MBR signature.

    ``purpose`` names the content and the target: the same gives the same ids.
    """
    match table.kind:
        case TableKind.GPT:
            partitions = tuple(
                replace(partition, guid=_guid(partition.guid, f"{purpose}/{partition.number}"))
                for partition in table.partitions
            )
            return replace(table, id=_guid(table.id, purpose), partitions=partitions)
        case TableKind.MBR:
            # Windows takes a signature of zero for a disk that has none.
            digest = hashlib.sha256(f"{table.id}/{purpose}".encode()).digest()
            number = int.from_bytes(digest[:4], "little") or 1
            return replace(table, id=f"{number:08x}")
        case TableKind.NONE:
            return table


def _guid(old: str, purpose: str) -> str:
    digest = hashlib.sha256(f"{old}/{purpose}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4)).upper()
