"""The foot of the Restore page: what is chosen, where it goes, how far it is, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from backup_agent.gui.shelf import FileRow
from backup_agent.model.events import Event, ItemSkipped, Progress
from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.pace import Pace
from backup_agent.services.existing import Existing


class Way(Enum):
    """Where chosen items can go."""

    IN_PLACE = "in place"
    FOLDER = "folder"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Destination:
    """``path``: a folder, the zip, or the root of the file system for a restore in place."""

    way: Way
    path: Path
    existing: Existing = Existing.REPLACE


class RestoreBar(QWidget):
    """``begin`` is told where to; ``stop`` and ``clear`` are wishes, too."""

    def __init__(
        self,
        begin: Callable[[Destination], None],
        stop: Callable[[], None],
        clear: Callable[[], None],
    ) -> None:
        super().__init__()
        self._begin, self._stop, self._clear = begin, stop, clear
        self._way = Way.FOLDER
        self._skipped: list[str] = []
        self._pace = Pace(0)
        self._total = 0
        self._end = button(tr("&Stop"), self._stop_or_close, name="stop restore")
        self._chosen, self._asking, self._running = (QWidget() for _ in range(3))
        self._faces = QStackedLayout(self)
        self._faces.setContentsMargins(0, 0, 0, 0)
        for face in (self._chosen, self._asking, self._running):
            self._faces.addWidget(face)
        self._build_chosen()
        self._build_asking()
        self._build_running()

    # What is chosen

    def _build_chosen(self) -> None:
        line = QHBoxLayout(self._chosen)
        line.setContentsMargins(0, 0, 0, 0)
        self._sentence = label("", "strong", wraps=True)
        self._sentence.setObjectName("selection")
        self._nothing = button(tr("C&lear"), self._clear, kind="link", name="clear")
        self._zip = button(tr("Save as .&zip"), lambda: self._ask(Way.ZIP), name="save as zip")
        self._folder = button(
            tr("&To a folder…"), lambda: self._ask(Way.FOLDER), name="to a folder"
        )
        self._in_place = button(
            tr("&Restore in place"), lambda: self._ask(Way.IN_PLACE), kind="main", name="in place"
        )
        line.addWidget(self._sentence)
        line.addWidget(self._nothing)
        line.addStretch(1)
        for made in (self._zip, self._folder, self._in_place):
            line.addWidget(made)

    def show_selection(
        self, rows: tuple[FileRow, ...], when: str, *, can_be_in_place: bool
    ) -> None:
        """``when``: the moment the items are from, in words."""
        self._total = sum(row.size for row in rows if not row.is_folder)
        if rows:
            items = trn("{number} item", "{number} items", len(rows))
            has_folder = any(row.is_folder for row in rows)
            if not has_folder:
                items += f", {words.size(self._total)}"
            self._sentence.setText(tr("{items} as they were on {when}.", items=items, when=when))
        else:
            self._sentence.setText(tr("Tick what is to come back."))
        self._nothing.setVisible(bool(rows))
        self._zip.setEnabled(bool(rows))
        self._folder.setEnabled(bool(rows))
        self._in_place.setEnabled(bool(rows) and can_be_in_place)
        self._in_place.setToolTip(
            "" if can_be_in_place else tr("What comes out of a disk goes to a folder.")
        )

    # Where to

    def _build_asking(self) -> None:
        inside = QVBoxLayout(self._asking)
        inside.setContentsMargins(0, 0, 0, 0)
        self._question = label("", "strong", wraps=True)
        inside.addWidget(self._question)
        line = QHBoxLayout()
        self._path = QLineEdit()
        self._path.setObjectName("destination")
        self._path.setAccessibleName(tr("Where to"))
        self._path.returnPressed.connect(self._go)
        self._browse = button(tr("Bro&wse…"), self._look_for_path, name="browse destination")
        self._existing = QComboBox()
        self._existing.setObjectName("existing")
        self._existing.setAccessibleName(tr("What becomes of files that are there"))
        for existing, text in (
            (Existing.REPLACE, tr("Replace what is there")),
            (Existing.BESIDE, tr("Keep both")),
            (Existing.KEEP, tr("Leave what is there")),
        ):
            self._existing.addItem(text, existing.value)
        line.addWidget(self._path, stretch=1)
        line.addWidget(self._browse)
        line.addWidget(self._existing)
        line.addStretch(0)
        line.addWidget(button(tr("Bac&k"), self.show_choice, name="back to selection"))
        self._accept = button(tr("&Restore"), self._go, kind="main", name="begin restore")
        line.addWidget(self._accept)
        inside.addLayout(line)

    def _ask(self, way: Way) -> None:
        self._way = way
        questions = {
            Way.IN_PLACE: tr("Back to where it was. What if something is there?"),
            Way.FOLDER: tr("Into which folder?"),
            Way.ZIP: tr("Into which file?"),
        }
        self._question.setText(questions[way])
        self._path.setVisible(way is not Way.IN_PLACE)
        self._browse.setVisible(way is not Way.IN_PLACE)
        self._existing.setVisible(way is not Way.ZIP)
        # Nothing is overwritten by a person who only presses Enter.
        safest = self._existing.findData(Existing.BESIDE.value)
        self._existing.setCurrentIndex(safest)
        proposed = {Way.FOLDER: Path.home() / tr("Restored"), Way.ZIP: Path.home() / "restored.zip"}
        self._path.setText(str(proposed.get(way, "")))
        said = tr("&Save") if way is Way.ZIP else tr("&Restore")
        self._accept.setText(said)
        self._accept.setAccessibleName(said.replace("&", ""))
        self._faces.setCurrentWidget(self._asking)
        (self._existing if way is Way.IN_PLACE else self._path).setFocus()

    def _look_for_path(self) -> None:
        if self._way is Way.ZIP:
            path, _ = QFileDialog.getSaveFileName(self, tr("Save as"), self._path.text(), "*.zip")
        else:
            path = QFileDialog.getExistingDirectory(self, tr("Restore to"), self._path.text())
        if path:
            self._path.setText(path)

    def _go(self) -> None:
        text = self._path.text().strip()
        if self._way is not Way.IN_PLACE and not text:
            return
        path = Path("/") if self._way is Way.IN_PLACE else Path(text).expanduser().absolute()
        existing = Existing(self._existing.currentData())
        self._skipped = []
        self._pace = Pace(time.monotonic())
        self._progress.setRange(0, 0)
        self._told.setText(tr("Beginning"))
        self._end.setText(tr("&Stop"))
        self._end.setAccessibleName(tr("Stop"))
        self._is_over = False
        self._progress.show()
        self._faces.setCurrentWidget(self._running)
        self._end.setFocus()
        self._begin(Destination(self._way, path, existing))

    def show_choice(self) -> None:
        self._faces.setCurrentWidget(self._chosen)

    # How far

    def _build_running(self) -> None:
        line = QHBoxLayout(self._running)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(16)
        self._told = label("", "strong", wraps=True)
        self._told.setObjectName("restore outcome")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setMaximumWidth(320)
        self._progress.setAccessibleName(tr("Progress of the restore"))
        self._is_over = False
        line.addWidget(self._told, stretch=1)
        line.addWidget(self._progress)
        line.addWidget(self._end)

    def hear(self, event: Event) -> None:
        if isinstance(event, ItemSkipped):
            self._skipped.append(f"{event.path}: {event.reason}")
        elif isinstance(event, Progress):
            view = self._pace.add(event.bytes_done, event.bytes_total, time.monotonic())
            if event.bytes_total:
                self._progress.setRange(0, 100)
                self._progress.setValue(view.percent)
            self._told.setText(
                tr(
                    "{files}, {size} so far",
                    files=trn("{number} file", "{number} files", event.files_done),
                    size=words.size(event.bytes_done),
                )
            )

    def show_outcome(self, sentence: str) -> None:
        """It is over; what was left out stands behind the sentence."""
        if self._skipped:
            more = trn("{number} item left out: ", "{number} items left out: ", len(self._skipped))
            sentence += " " + more + "; ".join(self._skipped[:3])
            self._told.setToolTip("\n".join(self._skipped[:100]))
        self._told.setText(sentence)
        self._progress.hide()
        self._is_over = True
        self._end.setText(tr("&Done"))
        self._end.setAccessibleName(tr("Done"))
        self._end.setFocus()

    def _stop_or_close(self) -> None:
        if self._is_over:
            self.show_choice()
        else:
            self._stop()
