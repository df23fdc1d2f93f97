"""Trees with columns, whose lines can be found again after they were drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

KEY = Qt.ItemDataRole.UserRole
"""What a line is known by: a text."""


def table(name: str, titles: Sequence[str], *, says: str) -> QTreeWidget:
    made = QTreeWidget()
    made.setObjectName(name)
    made.setAccessibleName(says)
    made.setHeaderLabels(list(titles))
    made.setAllColumnsShowFocus(True)
    made.setUniformRowHeights(True)
    made.setTabKeyNavigation(False)
    header = made.header()
    header.setSectionsMovable(False)
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made


def line(key: str, *texts: str, tip: str = "") -> QTreeWidgetItem:
    item = QTreeWidgetItem(list(texts))
    item.setData(0, KEY, key)
    item.setToolTip(0, tip or texts[0])
    # Screen readers get the whole line, not its first word.
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, ", ".join(filter(None, texts)))
    return item


def checkable(item: QTreeWidgetItem, *, checked: bool) -> QTreeWidgetItem:
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(0, Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
    return item


def on_check(tree: QTreeWidget, tell: Callable[[str, bool], None]) -> None:
    """``tell`` what was ticked. Connect when the lines stand: setting them up ticks, too."""

    def changed(item: QTreeWidgetItem, column: int) -> None:
        if column == 0 and item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            tell(str(item.data(0, KEY)), item.checkState(0) is Qt.CheckState.Checked)

    tree.itemChanged.connect(changed, Qt.ConnectionType.QueuedConnection)


def find(tree: QTreeWidget, key: str) -> QTreeWidgetItem | None:
    waiting = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    while waiting:
        item = waiting.pop()
        if item is None:
            continue
        if item.data(0, KEY) == key:
            return item
        waiting += [item.child(number) for number in range(item.childCount())]
    return None
