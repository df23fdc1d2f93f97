"""What a check says of one disk restore point."""

from __future__ import annotations

from dataclasses import dataclass

from backup_agent.model.disk import FileSystemKind
from backup_agent.model.finding import Finding, Severity
from backup_agent.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class VolumeCheck:
    """``path`` as people name it (``disk0/volume2``). ``problem`` is empty for a whole volume.

    ``file_system`` is ``None`` where the volume's description cannot be read.
    ``opens``: whether the files can be looked at; ``None`` where no files are to
    be expected (swap, encrypted volumes) or where something else is wrong already.
    """

    path: str
    file_system: FileSystemKind | None
    opens: bool | None
    problem: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class DiskPointCheck:
    """``disks`` counts those whose layout could be read, ``unknown`` the others.
    ``complete``: whether the backup could read all of them; what it could not is among
    the findings.
    """

    snapshot: Snapshot
    disks: int
    volumes: tuple[VolumeCheck, ...]
    findings: tuple[Finding, ...]
    complete: bool = True
    unknown: int = 0

    @property
    def undamaged(self) -> bool:
        """Whether all is there that the backup could read."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def whole(self) -> bool:
        """Whether all of it is there, and what has files shows them."""
        opens = all(volume.opens is not False for volume in self.volumes)
        return self.complete and self.undamaged and opens
