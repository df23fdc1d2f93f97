"""How large an object of each kind may be."""

from __future__ import annotations

from backup_agent.services.vault import FileKind

_KIB = 1 << 10
_MIB = 1 << 20

LARGEST_BYTES = {
    FileKind.CONFIG: _MIB,
    FileKind.KEY: _MIB,
    # Who holds it since when, sealed: a few hundred bytes.
    FileKind.LOCK: 16 * _KIB,
    # Paths and tags of a restore point, sealed: in practice a few hundred bytes.
    FileKind.SNAPSHOT: 16 * _MIB,
    FileKind.INDEX: 128 * _MIB,
    # restic's largest --pack-size is 128 MiB, and a pack ends with the blob that fills it.
    FileKind.PACK: 256 * _MIB,
}
