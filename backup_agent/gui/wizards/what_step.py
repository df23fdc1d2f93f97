"""What is backed up: the entire machine, or files and folders with what stays out of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QCheckBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from backup_agent.gui.ground import Ground
from backup_agent.gui.page import card
from backup_agent.gui.wizards.draft import Draft, proposed_folders
from backup_agent.gui.wizards.step import Proceed, Refuse, Step
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr


class WhatStep(Step):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, tr("What"), tr("What to back up"))
        self._folders = QRadioButton(tr("&Files and folders"))
        self._machine = QRadioButton(tr("&Entire machine"))
        self._folders.setObjectName("files and folders")
        self._machine.setObjectName("entire machine")
        self._machine.setAccessibleDescription(
            tr("System, programs and all files. It can be started again from a USB key.")
        )
        group = QButtonGroup(self)
        for choice in (self._machine, self._folders):
            group.addButton(choice)
            choice.toggled.connect(self._follow)
        frame, inside = card()
        inside.addWidget(self._machine)
        inside.addWidget(
            label(
                tr("System, programs and all files. It can be started again from a USB key."),
                "secondary",
                wraps=True,
            )
        )
        inside.addWidget(self._folders)
        self._chosen = self._folder_list()
        inside.addWidget(self._chosen)
        self.inside.addWidget(frame)
        self._without = self._exclusions()
        self.inside.addWidget(self._without)
        self.inside.addStretch(1)

    def _folder_list(self) -> QWidget:
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(24, 0, 0, 0)
        self._paths = QStringListModel(self)
        self._list = QListView()
        self._list.setObjectName("folders")
        self._list.setAccessibleName(tr("Folders that are backed up. Delete takes one out"))
        self._list.setModel(self._paths)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setMinimumHeight(96)
        self._list.setMaximumHeight(150)
        inside.addWidget(self._list)
        self._typed = QLineEdit()
        self._typed.setObjectName("folder to add")
        self._typed.setAccessibleName(tr("Another folder or file"))
        self._typed.setPlaceholderText(tr("Another folder or file"))
        self._typed.returnPressed.connect(self._add_typed)
        line = QHBoxLayout()
        line.addWidget(self._typed, stretch=1)
        line.addWidget(button(tr("&Add"), self._add_typed, name="add folder"))
        line.addWidget(button(tr("Bro&wse…"), self._browse, name="browse folders"))
        line.addWidget(button(tr("&Take out"), self._take_out, name="take out"))
        inside.addLayout(line)
        return holder

    def _exclusions(self) -> QFrame:
        frame, inside = card(tr("What stays out"))
        self._caches = QCheckBox(tr("&Caches that programs make anew"))
        self._caches.setObjectName("caches")
        self._one_disk = QCheckBox(tr("Other &disks that are mounted inside"))
        self._one_disk.setObjectName("other disks")
        self._patterns = QLineEdit()
        self._patterns.setObjectName("patterns")
        self._patterns.setPlaceholderText("*.bak, node_modules/")
        self._patterns.setAccessibleName(tr("Patterns of names, with commas between them"))
        inside.addWidget(self._caches)
        inside.addWidget(self._one_disk)
        inside.addWidget(label(tr("Patterns of names, with commas between them"), "caption"))
        inside.addWidget(self._patterns)
        return frame

    # Draft

    def show_draft(self, draft: Draft) -> None:
        plan = draft.plan
        (self._machine if plan.is_of_disks else self._folders).setChecked(True)
        self._paths.setStringList(list(plan.paths or proposed_folders(Path.home())))
        self._caches.setChecked(plan.exclude_caches)
        self._one_disk.setChecked(plan.one_file_system)
        self._patterns.setText(", ".join(plan.excludes))
        self._follow()

    def filled(self, draft: Draft) -> Draft:
        plan = draft.plan
        if self._machine.isChecked():
            disks = plan.disks
            return replace(
                draft,
                plan=replace(plan, machine=not disks, paths=(), excludes=(), exclude_caches=False),
            )
        patterns = (pattern.strip() for pattern in self._patterns.text().split(","))
        return replace(
            draft,
            plan=replace(
                plan,
                machine=False,
                disks=(),
                paths=tuple(self._paths.stringList()),
                excludes=tuple(filter(None, patterns)),
                exclude_caches=self._caches.isChecked(),
                one_file_system=self._one_disk.isChecked(),
            ),
        )

    def check(self, draft: Draft, proceed: Proceed, refuse: Refuse) -> None:
        plan = draft.plan
        if not plan.is_of_disks and not plan.paths:
            refuse(tr("No folder is chosen."), tr("Add one, or choose the entire machine."))
            return
        proceed(draft)

    def focus_likely(self) -> None:
        (self._machine if self._machine.isChecked() else self._folders).setFocus()

    # Folders

    def _follow(self) -> None:
        of_files = self._folders.isChecked()
        self._chosen.setVisible(of_files)
        self._without.setVisible(of_files)
        self.changed.emit()

    def _add_typed(self) -> None:
        if text := self._typed.text().strip():
            self._add(text)
            self._typed.clear()

    def _browse(self) -> None:
        if path := QFileDialog.getExistingDirectory(
            self, tr("Folder to back up"), str(Path.home())
        ):
            self._add(path)

    def _add(self, path: str) -> None:
        paths = self._paths.stringList()
        whole = str(Path(path).expanduser().absolute())
        if whole not in paths:
            self._paths.setStringList([*paths, whole])
        self.changed.emit()

    def _take_out(self) -> None:
        index = self._list.currentIndex()
        row = index.row() if index.isValid() else self._paths.rowCount() - 1
        if row >= 0:
            self._paths.removeRows(row, 1)
        self.changed.emit()
