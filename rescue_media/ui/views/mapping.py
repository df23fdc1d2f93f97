"""Volume mapping with "Restore Options", and the plan before the last "OK"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label, notice, panel
from backup_agent.qtkit.disk_picture import DiskPictureView
from backup_agent.qtkit.drawn_disk import DrawnDisk
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.proposal import why_not
from rescue_media.flow.values import Options, Row, RowPlan, StoredDisk
from rescue_media.ui.views.pictures import drawn, drawn_stored
from rescue_media.ui.views.shown import Ground, Shown, main_button, page

_REQUIRED = "Required"
_PICTURE_HEIGHT = 52


def show_mapping(mapping: p.Mapping, ground: Ground) -> Shown:
    content, inside = page("Where everything goes", trail="Restore  >  Volume mapping")
    inside.addWidget(_pictures(mapping, ground))
    inside.addWidget(_rows(mapping, ground))
    for plan in mapping.plans:
        if plan.refused:
            inside.addWidget(notice(f"{plan.source} to {plan.target}: {plan.refused}", plan.hint))
    inside.addLayout(_options(mapping.options, ground))
    inside.addStretch(1)
    take = button("Take the &proposals", ground.does(m.TakeProposals()))
    take.setEnabled(any(row.proposal and not row.destination for row in mapping.rows))
    image = button("&Into a file…", lambda: _name_image(content, ground))
    accept = main_button("&OK", ground.does(m.Accept()), enabled=mapping.is_ready)
    required = mapping.required
    sentence = "Nothing is written before the last OK."
    if required:
        sentence = f"{required} of {len(mapping.rows)} still required"
    return Shown(
        content,
        sentence="" if ground.flow.busy else sentence,
        state="warn" if required and not ground.flow.busy else "",
        buttons=[image, take, accept],
        main=accept,
        focus="Take the proposals" if take.isEnabled() else "Back",
    )


def _pictures(mapping: p.Mapping, ground: Ground) -> QWidget:
    frame, inside = panel(margin=16)
    plans = {plan.source: plan for plan in mapping.plans}
    contents = {disk.source: disk for disk in mapping.select.contents}
    sizes = [disk.size for disk in contents.values()]
    sizes += [target.disk.size for target in mapping.disks]
    scale = max([*sizes, *(plan.after.size for plan in mapping.plans if plan.after)], default=1)
    taken = {row.destination.path for row in mapping.rows if row.destination}
    for row in mapping.rows:
        disk = contents[row.source.partition("/")[0]]
        _picture(inside, f"Backup  {row.shown}", drawn_stored(disk, scale=scale), ground)
        plan = plans.get(row.source)
        if plan is not None and plan.after is not None:
            after = drawn(plan.target, plan.after, scale=scale, stored=disk.volumes)
            _picture(inside, f"{plan.target}  as it will be", after, ground)
    for number, target in enumerate(mapping.disks):
        if target.disk.path not in taken and target.picture is not None:
            shown = f"Disk {number}  {target.disk.model} {words.size(target.disk.size)}"
            now = drawn(shown, target.picture, scale=scale, stored=target.volumes)
            _picture(inside, f"{shown}, not touched", now, ground, height=16)
    return frame


def _picture(
    inside: QVBoxLayout,
    title: str,
    disk: DrawnDisk,
    ground: Ground,
    *,
    height: int = _PICTURE_HEIGHT,
) -> None:
    inside.addWidget(label(title, "caption"))
    inside.addWidget(DiskPictureView(disk, ground.palette, height=height))


def _rows(mapping: p.Mapping, ground: Ground) -> QWidget:
    frame, inside = panel(margin=16)
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    for column, title in enumerate(("From the backup", "Size", "Destination", "")):
        grid.addWidget(label(title, "caption"), 0, column)
    for place, row in enumerate(mapping.rows, start=1):
        grid.addWidget(label(row.shown, "strong"), place, 0)
        grid.addWidget(label(words.size(row.size)), place, 1)
        grid.addWidget(_destination_box(mapping, row, ground), place, 2)
        # Until this computer's disks were looked at, nobody knows what suits.
        remark = "" if ground.flow.busy and not mapping.destinations else _remark(row)
        grid.addWidget(label(remark, "caption", wraps=True), place, 3)
    grid.setColumnStretch(2, 1)
    inside.addLayout(grid)
    return frame


def _remark(row: Row) -> str:
    if row.destination is None:
        return f"Proposed: {row.proposal.shown}" if row.proposal else "No disk here suits."
    difference = row.destination.size - row.size
    lost = f" Lost: {row.destination.holds}." if row.destination.holds else ""
    if not difference:
        return f"The same size.{lost}"
    how = "larger" if difference > 0 else "smaller"
    return f"{words.size(abs(difference))} {how}.{lost}"


def _destination_box(mapping: p.Mapping, row: Row, ground: Ground) -> QComboBox:
    box = QComboBox()
    box.setObjectName(f"destination of {row.source}")
    box.addItem(_REQUIRED)
    model = box.model()
    assert isinstance(model, QStandardItemModel)
    choices = [None, *mapping.destinations]
    for number, destination in enumerate(mapping.destinations, start=1):
        reason = why_not(row, destination)
        box.addItem(f"{destination.shown}: {reason}" if reason else destination.shown)
        if reason:
            model.item(number).setEnabled(False)
            box.setItemData(number, reason, Qt.ItemDataRole.ToolTipRole)
    chosen = choices.index(row.destination) if row.destination in choices else 0
    box.setCurrentIndex(chosen)
    if not chosen:
        box.setProperty("state", "required")
    box.setAccessibleName(f"Destination of {row.shown}: {box.currentText()}")
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(24)
    box.activated.connect(
        lambda number: ground.send(m.MapTo(row.source, choices[number])),
        Qt.ConnectionType.QueuedConnection,
    )
    return box


def _options(options: Options, ground: Ground) -> QHBoxLayout:
    line = QHBoxLayout()
    line.addWidget(label("Restore Options", "strong"))
    for text, name in (
        ("Automatic &Restart (recommended)", "automatic_restart"),
        ("Read back after &writing", "verify"),
        ("Use all of a &larger disk", "grow"),
        ("New disk &GUIDs", "new_guids"),
    ):
        box = QCheckBox(text)
        box.setObjectName(name)
        box.setAccessibleName(text.replace("&", ""))
        box.setChecked(bool(getattr(options, name)))
        box.clicked.connect(
            lambda on, name=name: ground.send(m.SetOptions(replace(options, **{name: on}))),
            Qt.ConnectionType.QueuedConnection,
        )
        line.addWidget(box)
    line.addStretch(1)
    return line


def _name_image(parent: QWidget, ground: Ground) -> None:
    name, _ = QFileDialog.getSaveFileName(
        parent,
        "Restore into a file",
        str(Path.home()),
        "Disk images (*.img)",
        options=QFileDialog.Option.DontUseNativeDialog | QFileDialog.Option.DontConfirmOverwrite,
    )
    if name:
        ground.send(m.AddImage(name))


def show_confirm(confirm: p.Confirm, ground: Ground) -> Shown:
    content, inside = page("What will be done", trail="Restore  >  Volume mapping  >  Plan")
    mapping = confirm.mapping
    contents = {disk.source: disk for disk in mapping.select.contents}
    for plan in mapping.plans:
        inside.addWidget(_plan(plan, contents[plan.source.partition("/")[0]], ground))
    if confirm.saved:
        inside.addWidget(label(f"The plan is saved as {confirm.saved}.", "strong", state="ok"))
    inside.addStretch(1)
    save = button("Save &plan", lambda: _name_plan(content, ground))
    accept = main_button("&OK", ground.does(m.Accept()))
    lost = ", ".join(f"{plan.lost} on {plan.target}" for plan in mapping.plans if plan.lost)
    return Shown(
        content,
        sentence=f"Lost for good: {lost}" if lost else "No known volume is lost.",
        state="bad" if lost else "ok",
        buttons=[save, accept],
        # Not pressed by Enter from elsewhere: this is where data is written over.
        main=None,
        focus="Back",
    )


def _plan(plan: RowPlan, disk: StoredDisk, ground: Ground) -> QWidget:
    frame, inside = panel(margin=16)
    title = f"{plan.source} to {plan.target}, {words.size(plan.bytes_to_write)} to write"
    inside.addWidget(label(title, "heading", wraps=True))
    assert plan.before is not None
    assert plan.after is not None
    scale = max(plan.before.size, plan.after.size)
    for name, picture in (("As it was", plan.before), ("As it will be", plan.after)):
        shown = drawn(name, picture, scale=scale, stored=disk.volumes)
        _picture(inside, f"{name}, {words.size(picture.size)}", shown, ground)
    for number, action in enumerate(plan.actions, start=1):
        inside.addWidget(label(f"{number}.  {action}", wraps=True))
    if plan.repairs:
        inside.addWidget(label("Then looked at, and mended where needed", "strong"))
    for repair in plan.repairs:
        inside.addWidget(label(repair, wraps=True))
    for note in plan.notes:
        inside.addWidget(notice(note, "", role="warning"))
    return frame


def _name_plan(parent: QWidget, ground: Ground) -> None:
    name, _ = QFileDialog.getSaveFileName(
        parent,
        "Save the plan",
        str(Path.home() / "everboot-plan.txt"),
        options=QFileDialog.Option.DontUseNativeDialog,
    )
    if name:
        ground.send(m.SavePlan(name))
