"""Which blob lies where, for all of the repository, in memory.

An entry costs about 200 bytes: a dict finds the entry's number by the blob's
id, columns of machine integers hold the rest.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass

from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.ids import BlobId, PackId


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """One blob and the pack it lies in."""

    pack: PackId
    blob: PackedBlob


class BlobIndex:
    """Grows, but for what is forgotten. Written by one thread, read by several."""

    def __init__(self) -> None:
        self._data: dict[BlobId, int] = {}
        self._trees: dict[BlobId, int] = {}
        self._packs: dict[PackId, int] = {}
        self._pack_names: list[PackId] = []
        self._pack_ends = array("Q")
        self._repeating: list[IndexedPack] = []
        self.damaged: set[tuple[PackId, BlobId]] = set()
        """Copies that proved damaged or missing in this run."""
        self._pack = array("I")
        self._offset = array("I")
        self._length = array("I")
        self._raw_length = array("I")

    def add_pack(self, pack: IndexedPack) -> None:
        """Learn a pack's blobs; the first place learnt for a blob is the one that is told."""
        if pack.id in self._packs:
            return
        number = len(self._pack_names)
        self._packs[pack.id] = number
        self._pack_names.append(pack.id)
        self._pack_ends.append(max((b.offset + b.length for b in pack.blobs), default=0))
        data = [b for b in pack.blobs if b.kind is BlobKind.DATA and b.id not in self._data]
        trees = [b for b in pack.blobs if b.kind is BlobKind.TREE and b.id not in self._trees]
        self._add(data, self._data, number)
        self._add(trees, self._trees, number)
        if len(data) + len(trees) < len(pack.blobs):
            self._repeating.append(pack)

    def _add(self, blobs: list[PackedBlob], entries: dict[BlobId, int], pack: int) -> None:
        """A column at a time: opening a repository adds millions."""
        first = len(self._pack)
        self._pack.extend([pack] * len(blobs))
        self._offset.extend([b.offset for b in blobs])
        self._length.extend([b.length for b in blobs])
        self._raw_length.extend([b.raw_length for b in blobs])
        # Last, so that whoever reads meanwhile finds all of an entry or none.
        entries.update(zip([b.id for b in blobs], range(first, len(self._pack)), strict=True))

    @property
    def has_repeats(self) -> bool:
        """Whether some blob lies in several packs."""
        return bool(self._repeating)

    def prefer_others(self, lost: Collection[PackId]) -> None:
        """Tell another place for what lies in ``lost`` packs, wherever one is known."""
        numbers = {self._packs[pack] for pack in lost}
        for pack in self._repeating:
            if pack.id in lost:
                continue
            for blob in pack.blobs:
                entry = self._of(blob.kind).get(blob.id)
                if entry is not None and self._pack[entry] in numbers:
                    self._pack[entry] = self._packs[pack.id]
                    self._offset[entry] = blob.offset
                    self._length[entry] = blob.length
                    self._raw_length[entry] = blob.raw_length

    def forget(self, lost: Collection[PackId]) -> int:
        """Know no blob any more that lies in ``lost`` packs only; returns how many that were."""
        self.prefer_others(lost)
        numbers = {self._packs[pack] for pack in lost}
        before = len(self)
        for entries in (self._data, self._trees):
            gone = [blob for blob, entry in entries.items() if self._pack[entry] in numbers]
            for blob in gone:
                del entries[blob]
        return before - len(self)

    def forget_blob(self, kind: BlobKind, blob: BlobId) -> None:
        """Know this one blob no more, so that it is saved again."""
        self._of(kind).pop(blob, None)

    def other_places(self, place: BlobPlace) -> Iterator[BlobPlace]:
        """Where else the blob lies. Looks through all packs with repeats: for rare troubles."""
        for pack in self._repeating:
            for blob in pack.blobs:
                same = blob.id == place.blob.id and blob.kind is place.blob.kind
                if same and (pack.id, blob.offset) != (place.pack, place.blob.offset):
                    yield BlobPlace(pack.id, blob)

    def whole_place(self, kind: BlobKind, blob: BlobId) -> BlobPlace | None:
        """Where the blob lies whole, as far as is known of its copies; ``None`` if nowhere."""
        place = self.find(kind, blob)
        if place is None or (place.pack, blob) not in self.damaged:
            return place
        others = self.other_places(place)
        return next((one for one in others if (one.pack, blob) not in self.damaged), None)

    def has(self, kind: BlobKind, blob: BlobId) -> bool:
        return blob in self._of(kind)

    def find(self, kind: BlobKind, blob: BlobId) -> BlobPlace | None:
        entry = self._of(kind).get(blob)
        return None if entry is None else self._place(kind, blob, entry)

    def plain_length(self, kind: BlobKind, blob: BlobId) -> int | None:
        """The blob's length as it was saved, ``None`` where it is unknown."""
        place = self.find(kind, blob)
        return None if place is None else place.blob.plain_length

    def __len__(self) -> int:
        return len(self._data) + len(self._trees)

    def __iter__(self) -> Iterator[BlobPlace]:
        """Every blob once."""
        for kind in BlobKind:
            for blob, entry in self._of(kind).items():
                yield self._place(kind, blob, entry)

    @property
    def data_blobs(self) -> Container[BlobId]:
        """The data blobs, for asking after many of them; grows with the index."""
        return self._data.keys()

    @property
    def packs(self) -> Iterable[PackId]:
        return self._packs.keys()

    def has_pack(self, pack: PackId) -> bool:
        return pack in self._packs

    def pack_end(self, pack: PackId) -> int:
        """Where the last known blob of a pack ends; its header comes behind."""
        return self._pack_ends[self._packs[pack]]

    def _of(self, kind: BlobKind) -> dict[BlobId, int]:
        # Not a dict of dicts: hashing an enum member takes longer than finding the blob.
        return self._data if kind is BlobKind.DATA else self._trees

    def _place(self, kind: BlobKind, blob: BlobId, entry: int) -> BlobPlace:
        return BlobPlace(
            self._pack_names[self._pack[entry]],
            PackedBlob(
                blob, kind, self._offset[entry], self._length[entry], self._raw_length[entry]
            ),
        )
