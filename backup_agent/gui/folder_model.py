"""The folders of a restore point as a tree that is read where it is unfolded."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from backup_agent.gui.shelf import FileRow
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.tokens import Palette
from backup_agent.services.browse import TreePath

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_PART = 500


@dataclass(slots=True, eq=False)
class _Folder:
    """``inside`` is None until it was read; ``shown`` of them are known to the view."""

    path: TreePath
    name: str
    above: _Folder | None
    place: int = 0
    inside: list[_Folder] | None = None
    shown: int = 0
    is_asked_for: bool = field(default=False)


class FolderModel(QAbstractItemModel):
    """``wanted`` is followed by one call of :meth:`show_folders`, sooner or later."""

    wanted = Signal(object)
    """The path of a folder that was unfolded."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._is_inserting = False
        self._top = _Folder((), "", None)
        self._root = _Folder((), tr("Everything"), self._top)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._root = _Folder((), tr("Everything"), self._top)
        self._top.inside, self._top.shown = [self._root], 1
        self._by_path: dict[TreePath, _Folder] = {(): self._root}

    def clear(self) -> None:
        """Another restore point: nothing is known of it."""
        self.beginResetModel()
        self._begin_anew()
        self.endResetModel()

    def show_folders(self, path: TreePath, rows: tuple[FileRow, ...]) -> None:
        """What a folder holds; only the folders among the rows count."""
        folder = self._by_path.get(path)
        if folder is None or folder.inside is not None:
            return
        found = [row for row in rows if row.is_folder]
        folder.inside = [
            _Folder(row.path, row.name, folder, place) for place, row in enumerate(found)
        ]
        self._by_path.update((one.path, one) for one in folder.inside)
        self._show_part(folder)

    def index_of(self, path: TreePath) -> QModelIndex:
        """Invalid for a folder that was not come to yet."""
        folder = self._by_path.get(path)
        if folder is None or (folder.above and folder.place >= folder.above.shown):
            return QModelIndex()
        return self.createIndex(folder.place, 0, folder)

    def path_at(self, index: _Index) -> TreePath:
        return self._folder(index).path

    def _show_part(self, folder: _Folder) -> None:
        assert folder.inside is not None
        last = min(folder.shown + _PART, len(folder.inside))
        if last == folder.shown:
            # Nothing came, but the arrow that unfolds it may go now.
            index = self.index_of(folder.path)
            self.dataChanged.emit(index, index)
            return
        # Whoever listens may ask for more before these have come.
        self._is_inserting = True
        self.beginInsertRows(self.index_of(folder.path), folder.shown, last - 1)
        folder.shown = last
        self.endInsertRows()
        self._is_inserting = False

    def _folder(self, index: _Index) -> _Folder:
        if not index.isValid():
            return self._top
        folder = index.internalPointer()
        assert isinstance(folder, _Folder)
        return folder

    # Qt

    def index(
        self,
        row: int,
        column: int,
        parent: _Index = QModelIndex(),  # noqa: B008 - Qt's default
    ) -> QModelIndex:
        folder = self._folder(parent)
        if column or folder.inside is None or not 0 <= row < folder.shown:
            return QModelIndex()
        return self.createIndex(row, 0, folder.inside[row])

    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008 - Qt's other meaning of the name
        above = self._folder(index).above
        if above is None or above is self._top:
            return QModelIndex()
        return self.createIndex(above.place, 0, above)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.column() > 0 else self._folder(parent).shown

    def columnCount(self, _parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 1

    def hasChildren(self, parent: _Index = QModelIndex()) -> bool:  # noqa: N802, B008 - Qt's
        folder = self._folder(parent)
        return folder.inside is None or bool(folder.inside)

    def canFetchMore(self, parent: _Index) -> bool:  # noqa: N802 - Qt's name
        folder = self._folder(parent)
        if folder.inside is None:
            return not folder.is_asked_for
        return not self._is_inserting and folder.shown < len(folder.inside)

    def fetchMore(self, parent: _Index) -> None:  # noqa: N802 - Qt's name
        folder = self._folder(parent)
        if folder.inside is not None:
            if self.canFetchMore(parent):
                self._show_part(folder)
        elif not folder.is_asked_for:
            folder.is_asked_for = True
            self.wanted.emit(folder.path)

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        folder = self._folder(index)
        match role:
            case _Role.DisplayRole | _Role.ToolTipRole:
                return folder.name
            case _Role.DecorationRole:
                is_disk = len(folder.path) < 3 and folder.path[:1] and folder.path[0][:4] == b"disk"
                return icon("hard-drive" if is_disk else "folder", self._palette.d1)
            case _:
                return None
