"""Files whose content a backup left out: there by name, and never read as the zeros stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import MappedTree, Reference, TreeItem
from backup_agent.model.disk import Extent

_WORDS = "It was left out of the backup."


class TreeWithGaps:
    r"""A file tree in which some paths have no content, whatever the volume says there.

    Paths are as ``volume.json`` has them (``\pagefile.sys``), in any case and
    with either slash. One that is not there hurts nobody.
    """

    def __init__(self, tree: MappedTree, left_out: Iterable[str]) -> None:
        self._tree = tree
        self._left_out: set[Reference] = set()
        for path in left_out:
            self._find([part for part in path.replace("\\", "/").split("/") if part])

    @property
    def root(self) -> Reference:
        return self._tree.root

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        return [self._marked(item) for item in self._tree.list_folder(folder)]

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        item = self._tree.look_up(folder, name)
        return None if item is None else self._marked(item)

    def item(self, reference: Reference) -> TreeItem:
        return self._marked(self._tree.item(reference))

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        if file in self._left_out:
            raise UnreadableError(_WORDS, hint="everboot backup --include-all keeps such files.")
        return self._tree.read_at(file, offset, size, stream=stream)

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        """None for what was left out: nobody misses its bytes."""
        return () if file in self._left_out else self._tree.extents(file, stream=stream)

    def _find(self, parts: Sequence[str]) -> None:
        here = self._tree.root
        for part in parts:
            try:
                found = self._tree.look_up(here, part.encode()) or self._in_any_case(here, part)
            except UnreadableError:
                return
            if found is None:
                return
            here = found.reference
        if parts:
            self._left_out.add(here)

    def _in_any_case(self, folder: Reference, name: str) -> TreeItem | None:
        items = self._tree.list_folder(folder)
        return next((i for i in items if _text(i.node.name) == name.casefold()), None)

    def _marked(self, item: TreeItem) -> TreeItem:
        if item.reference in self._left_out and not item.problem:
            return replace(item, problem=_WORDS, is_left_out=True)
        return item


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape").casefold()
