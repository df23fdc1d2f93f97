"""Walking a restore plan: volumes, then their starts, then the partition table."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections import deque
from collections.abc import Iterator
from typing import assert_never

from backup_agent.errors import TargetError, TargetTooSmallError
from backup_agent.filesystems.restore_mark import MARK_SIZE, encode_mark, is_marked
from backup_agent.host.api import Host, WritableDisk
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Area, Extent, PartitionTable
from backup_agent.model.events import Emit, Progress
from backup_agent.model.ids import BlobId
from backup_agent.targets.disk.ledger import RememberingDisk
from backup_agent.targets.disk.outside import encode_outside
from backup_agent.targets.disk.plan import (
    CreateImage,
    Discard,
    FinishVolumes,
    LeaveOut,
    ResizeVolume,
    RestorePlan,
    Wipe,
    WriteArea,
    WriteResized,
    WriteTable,
    WriteVolume,
)
from backup_agent.targets.disk.reshape import Reshaper, ResizedVolume
from backup_agent.targets.disk.slot import VolumeSlot
from backup_agent.targets.disk.stored import StoredBlob, StoredDisk, VolumeContent, read_area

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def execute_plan(
    plan: RestorePlan,
    stored: StoredDisk,
    host: Host,
    reshaper: Reshaper,
    *,
    verify: bool,
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Carry out the plan. On return the target is whole and on the medium.

    A target that the same plan was at work on before is not written anew:
    what is there already, by its hash, is neither fetched nor written.
    Whatever goes wrong, the target is then without a partition table, so that
    nobody takes it for a disk.

    Raises :class:`TargetError` and its children, ``IntegrityError`` for a
    restore point that is damaged or (with ``verify``) a target that does not
    keep what is written, and whatever reading ``stored`` raises.
    """
    with _errors(plan.target.path):
        creates = CreateImage(plan.target.size) in plan.actions
        disk = host.open_target(plan.target, create=creates)
        try:
            execution = _Execution(plan, stored, disk, reshaper, emit, cancel)
            with contextlib.closing(execution):
                execution.run(verify=verify)
        finally:
            disk.close()


class _Execution:
    def __init__(
        self,
        plan: RestorePlan,
        stored: StoredDisk,
        disk: WritableDisk,
        reshaper: Reshaper,
        emit: Emit,
        cancel: CancelToken,
    ) -> None:
        self._plan = plan
        self._stored = stored
        self._disk = disk
        self._reshaper = reshaper
        self._emit = emit
        self._cancel = cancel
        self._done = 0
        self._goes_on = is_marked(disk.read(0, MARK_SIZE), plan.fingerprint)
        self._slots: list[VolumeSlot] = []
        self._resized: dict[int, ResizedVolume] = {}

    def close(self) -> None:
        for resized in self._resized.values():
            resized.close()

    def run(self, *, verify: bool) -> None:
        bare = self._disk
        ledger = RememberingDisk(bare)
        for action in self._plan.actions:
            match action:
                case CreateImage():
                    pass  # opening it did
                case ResizeVolume(volume, size):
                    content = VolumeContent(self._stored, volume)
                    resized = self._reshaper.resize(content, size, self._tell)
                    self._resized[volume.number] = resized
                case Discard(extent):
                    if not self._goes_on:
                        bare.discard(extent.start, extent.size)
                case Wipe(extents):
                    if not self._goes_on:
                        self._wipe(extents)
                    if verify:
                        self._disk = ledger
                case WriteVolume(volume, place, patches):
                    content = VolumeContent(self._stored, volume, patches)
                    self._copy(content, self._slot(place))
                case WriteResized(volume, place, patches):
                    slot = self._slot(place)
                    self._resized[volume.number].write(slot, patches)
                    slot.settle()
                case LeaveOut():
                    pass
                case FinishVolumes():
                    # What was written so far must not reach the medium after this.
                    self._disk.flush()
                    for slot in self._slots:
                        slot.finish()
                case WriteArea(area):
                    self._write_area(area)
                case WriteTable(table):
                    self._write_table(table)
                case _:
                    assert_never(action)
        self._disk.flush()
        if verify:
            self._compare(ledger)

    def _slot(self, place: Extent) -> VolumeSlot:
        slot = VolumeSlot(self._disk, place, self._plan.sector_size)
        self._slots.append(slot)
        return slot

    def _wipe(self, extents: tuple[Extent, ...]) -> None:
        for extent in extents:
            self._disk.zero(extent.start, extent.size)
        self._disk.flush()
        self._disk.write(0, encode_mark(self._plan.fingerprint, self._plan.sector_size))
        self._disk.flush()

    def _copy(self, content: VolumeContent, slot: VolumeSlot) -> None:
        """Fetch and write what the target does not hold yet."""
        places: deque[int] = deque()

        def wanted() -> Iterator[BlobId]:
            for offset, blob in content.blobs():
                patched = content.is_patched(offset, blob.size)
                if blob.is_zero and not patched:
                    slot.zero(offset, blob.size)
                elif self._goes_on and not patched and _holds(slot, offset, blob):
                    self._tell(blob.size)
                else:
                    places.append(offset)
                    yield blob.id

        for data in self._stored.fetch(wanted()):
            offset = places.popleft()
            slot.write(offset, content.patched(offset, data))
            self._tell(len(data))
        slot.settle()

    def _write_area(self, area: Area) -> None:
        data = read_area(self._stored, area.name, area.extent.size)
        self._write_last(area.extent.start, data)

    def _write_table(self, table: PartitionTable) -> None:
        layout = self._stored.layout
        areas = {a.name: read_area(self._stored, a.name, a.extent.size) for a in layout.areas}
        stretches = encode_outside(layout, areas, table, self._plan.target.size)
        for stretch in stretches:
            self._write_last(stretch.start, stretch.data)

    def _write_last(self, start: int, data: bytes) -> None:
        """Write what makes others see a disk here; sector 0, and with it the mark, at the end."""
        self._disk.flush()
        first = self._plan.sector_size if start == 0 else 0
        self._disk.write(start + first, memoryview(data)[first:])
        if first:
            self._disk.flush()
            self._disk.write(0, memoryview(data)[:first])

    def _compare(self, ledger: RememberingDisk) -> None:
        done = 0
        for size in ledger.compare(self._plan.target.path, self._cancel):
            done += size
            self._emit(Progress("verify", bytes_done=done, bytes_total=ledger.size))

    def _tell(self, size: int) -> None:
        self._cancel.raise_if_cancelled()
        self._done += size
        self._emit(Progress("restore", bytes_done=self._done, bytes_total=self._plan.stored_bytes))


def _holds(slot: VolumeSlot, offset: int, blob: StoredBlob) -> bool:
    return hashlib.sha256(slot.read(offset, blob.size)).digest() == blob.id


@contextlib.contextmanager
def _errors(target: str) -> Iterator[None]:
    """Translate the operating system's errors into Everboot's."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise TargetTooSmallError(
                f"There is not enough room for {target}: {exc.strerror}.",
                hint="Name a place with more free space; FAT takes no file above 4 GiB.",
            ) from exc
        raise TargetError(f"{target} cannot be written: {exc.strerror}") from exc
