"""What a stored disk lacks, because it could not be read when it was backed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import IntegrityError
from backup_agent.model.disk import Volume
from backup_agent.services.browse import PointBrowser
from backup_agent.targets.disk.plan import name_of


@dataclass(frozen=True, slots=True)
class Gap:
    """``size`` bytes of a volume (``None``: of the disk beside its volumes) that are not its own.

    Zeros stand in their place. 0 where nothing is missing for sure, but what
    is there may not fit together. ``reasons`` name sectors and, where known, files.
    """

    where: str
    volume: int | None
    size: int
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        missing = f", {self.size} bytes of it are missing" if self.size else ""
        return f"{self.where} is INCOMPLETE{missing}. " + " ".join(self.reasons)


def find_gaps(
    browser: PointBrowser, disk: int, volumes: Sequence[Volume], *, whole_disk: bool
) -> tuple[Gap, ...]:
    """The gaps in those volumes, and beside them if the ``whole_disk`` is wanted.

    A list of omissions that is damaged keeps nobody from a disk, but is a gap itself.
    """
    try:
        return tuple(_gaps(browser, b"/disks/%d/" % disk, volumes, whole_disk=whole_disk))
    except IntegrityError as exc:
        reason = f"What could not be read when it was backed up cannot be told: {exc.message}"
        return (Gap(f"disk{disk}, as far as is known,", None, 0, (reason,)),)


def _gaps(
    browser: PointBrowser, folder: bytes, volumes: Sequence[Volume], *, whole_disk: bool
) -> Iterator[Gap]:
    omissions = [o for o in browser.omissions() if o.path.startswith(folder)]
    places: list[tuple[str, int | None, bytes]] = [
        (name_of(volume), volume.number, folder + b"volumes/%d/" % volume.number)
        for volume in volumes
    ]
    for where, number, start in places:
        found = [o for o in omissions if o.path.startswith(start)]
        if found:
            size = sum(extent.size for omission in found for extent in omission.ranges)
            yield Gap(where, number, size, tuple(o.reason for o in found))
    beside = [o for o in omissions if not o.path.startswith(folder + b"volumes/")]
    if beside and whole_disk:
        size = sum(extent.size for omission in beside for extent in omission.ranges)
        yield Gap("the disk beside its volumes", None, size, tuple(o.reason for o in beside))
