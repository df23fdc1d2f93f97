"""The two tables: workstations with their restore points, and what the chosen one holds."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QTreeWidget, QTreeWidgetItem

from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.tokens import Palette
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.values import Point, Purpose
from rescue_media.ui.views.shown import Ground, Shown, main_button, page
from rescue_media.ui.views.tables import KEY, checkable, find, line, on_check, table


def show_select(select: p.Select, ground: Ground) -> Shown:
    content, inside = page("Select data", trail="Restore")
    head = QHBoxLayout()
    shown = select.place.shown if select.place else "nothing chosen yet"
    head.addWidget(label(f"From  {shown}", "strong"), stretch=1)
    head.addWidget(button("&Browse", ground.does(m.OpenBrowse())))
    inside.addLayout(head)
    inside.addWidget(_points(select, ground), stretch=3)
    copies = select.purpose is Purpose.COPY_FILES
    if select.point is not None and not copies:
        when = words.moment(select.point.time)
        inside.addWidget(label(f"Contents of {when}", "heading"))
        inside.addWidget(_contents(select, ground), stretch=3)
    elif select.place is None:
        inside.addWidget(
            label("Browse leads to where the backup lies: the first thing to do.", "secondary")
        )
    may_go = select.point is not None and (copies or bool(select.checked))
    accept = main_button("&OK", ground.does(m.Accept()), enabled=may_go)
    # Until it was read, nobody knows what it holds.
    sentence = "" if ground.flow.busy else _sentence(select)
    return Shown(
        content,
        sentence=sentence,
        buttons=[accept],
        main=accept,
        focus="Browse" if select.place is None else ("OK" if may_go else "workstations"),
    )


def _sentence(select: p.Select) -> str:
    if select.point is None or select.purpose is Purpose.COPY_FILES:
        return ""
    if not select.contents:
        return "This restore point holds files, no disks: use Copy single files."
    used = sum(
        v.size if v.used is None else v.used
        for disk in select.contents
        for v in disk.volumes
        if disk.source_of(v) in select.checked
    )
    disks = sum(disk.source in select.checked for disk in select.contents)
    what = {0: "Volumes", 1: "1 disk"}.get(disks, f"{disks} disks")
    return f"{what}, {words.size(used)} to read"


def _points(select: p.Select, ground: Ground) -> QTreeWidget:
    tree = table(
        "workstations",
        ("Workstation and restore point", "What", "Size", "State"),
        says="Workstations and their restore points. Right unfolds, Enter chooses",
    )
    for number, workstation in enumerate(select.workstations):
        points = workstation.points
        count = "" if points is None else _count(len(points))
        computer = line(f"computer {number}", workstation.name, count)
        computer.setIcon(0, icon("monitor", ground.palette.ink2))
        computer.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        tree.addTopLevelItem(computer)
        for point in points or ():
            computer.addChild(_point(number, point, ground.palette))
        if points:
            computer.setExpanded(True)
    chosen = {
        f"point {number} {point.id}": (number, point)
        for number, workstation in enumerate(select.workstations)
        for point in workstation.points or ()
    }
    if select.point is not None:
        item = find(tree, f"point {select.workstation} {select.point.id}")
        if item is not None:
            tree.setCurrentItem(item)

    def unfold(item: QTreeWidgetItem) -> None:
        key = str(item.data(0, KEY))
        if key.startswith("computer "):
            ground.send(m.Unfold(int(key.removeprefix("computer "))))

    def choose(item: QTreeWidgetItem, _column: int) -> None:
        key = str(item.data(0, KEY))
        if key in chosen:
            ground.send(m.ChoosePoint(*chosen[key]))
        else:
            unfold(item)

    tree.itemExpanded.connect(unfold, Qt.ConnectionType.QueuedConnection)
    tree.itemActivated.connect(choose, Qt.ConnectionType.QueuedConnection)
    tree.itemClicked.connect(choose, Qt.ConnectionType.QueuedConnection)
    return tree


def _count(points: int) -> str:
    return "1 restore point" if points == 1 else f"{points} restore points"


def _point(number: int, point: Point, palette: Palette) -> QTreeWidgetItem:
    item = line(
        f"point {number} {point.id}",
        words.moment(point.time),
        "Entire machine" if point.is_disk else "Files",
        "" if point.size is None else words.size(point.size),
        point.state,
        tip=f"Restore point {point.id[:8]}",
    )
    colour = palette.ok if point.is_complete else palette.warn
    item.setForeground(3, QColor(colour))
    item.setIcon(0, icon("clock", palette.ink2))
    item.setIcon(3, icon("shield-check" if point.is_complete else "triangle-alert", colour))
    return item


def _contents(select: p.Select, ground: Ground) -> QTreeWidget:
    tree = table(
        "contents",
        ("Disks and volumes", "File system", "Size", "Used"),
        says="Disks and volumes of the restore point. Space ticks",
    )
    for disk in select.contents:
        facts = ", ".join(filter(None, (disk.model, disk.table)))
        top = line(
            disk.source,
            f"Disk {disk.number}  {facts}",
            "",
            words.size(disk.size),
            words.size(disk.used),
        )
        tree.addTopLevelItem(checkable(top, checked=disk.source in select.checked))
        for volume in disk.volumes:
            source = disk.source_of(volume)
            used = "all" if volume.used is None else words.size(volume.used)
            item = line(source, volume.name, volume.file_system, words.size(volume.size), used)
            top.addChild(checkable(item, checked=source in select.checked))
        top.setExpanded(True)
    on_check(tree, lambda source, on: ground.send(m.Check(source, on)))
    return tree
