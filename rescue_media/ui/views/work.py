"""Work that goes on, how it ended, and the two pages that lead to work on files and backups."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QPlainTextEdit,
    QProgressBar,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from backup_agent.model.events import Event, ItemSkipped, Notice, Progress, TryingAgain
from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label, notice, panel
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.pace import Pace, PaceView
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.machine import STOPPING
from rescue_media.flow.pages import Flow
from rescue_media.flow.values import Restart
from rescue_media.ui.views.shown import Ground, Shown, main_button, page
from rescue_media.ui.views.tables import KEY, checkable, line, on_check, table

_PHASES = {
    "restore": "Writing",
    "verify": "Reading back",
    "scan": "Looking",
    "backup": "Reading",
}
_UNKNOWN = "-"
_TICK_MILLISECONDS = 1000


class ProgressPanel(QWidget):
    """Bytes, rate, time left and the log, out of what the work tells.

    ``clock`` tells monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._pace = Pace(clock())
        self._held_at: float | None = None
        self._held_seconds = 0.0
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._figures = {
            name: label(_UNKNOWN, "heading") for name in ("Done", "Rate", "Time left", "So far")
        }
        self._phase = label("Beginning", "lead")
        self._phase.setObjectName("phase")
        self._lost = label("", "strong", state="warn", wraps=True)
        self._lost.setObjectName("waiting")
        self._lost.hide()
        self.percent = label("0 %", "number")
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setTabChangesFocus(True)
        self.log.setObjectName("log")
        self.log.setAccessibleName("Log")
        self._arrange()

    def _arrange(self) -> None:
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        frame, words_ = panel()
        words_.addWidget(self.percent)
        words_.addWidget(self._phase)
        words_.addWidget(self._bar)
        grid = QGridLayout()
        for column, (name, figure) in enumerate(self._figures.items()):
            grid.addWidget(label(name, "caption"), 0, column)
            grid.addWidget(figure, 1, column)
            grid.setColumnStretch(column, 1)
        words_.addLayout(grid)
        words_.addWidget(self._lost)
        inside.addWidget(frame)
        inside.addWidget(self.log, stretch=1)

    def hold(self, *, paused: bool) -> None:
        """Say that it is paused, and count no time for it."""
        if paused == (self._held_at is not None):
            return
        if self._held_at is None:
            self._held_at = self._clock()
            self._phase.setText("Paused. What is done so far stays.")
        else:
            self._held_seconds += self._clock() - self._held_at
            self._held_at = None
            self._phase.setText("Going on")
        self.log.appendPlainText("Paused." if paused else "Resumed.")

    def hear(self, event: Event) -> None:
        match event:
            case Progress():
                self._lost.hide()
                self._show(event)
            case TryingAgain(message):
                self._lost.setText(f"{message} What is written stays.")
                self._lost.show()
                self.log.appendPlainText(message)
            case ItemSkipped(path, reason):
                self.log.appendPlainText(f"Left out: {path}: {reason}")
            case Notice(message):
                self.log.appendPlainText(message)

    def _show(self, event: Progress) -> None:
        if self._held_at is not None:
            # The block that was under way when it was paused.
            return
        now = self._clock() - self._held_seconds
        view = self._pace.add(event.bytes_done, event.bytes_total, now)
        self._phase.setText(" ".join(filter(None, (_phase(event.phase), event.current))))
        self.percent.setText(f"{view.percent} %")
        self._bar.setMaximum(100)
        self._bar.setValue(view.percent)
        for name, text in _figures(view).items():
            self._figures[name].setText(text)


def _phase(name: str) -> str:
    return _PHASES.get(name, name.capitalize())


def _figures(view: PaceView) -> dict[str, str]:
    done = words.size(view.done)
    rate, left = view.bytes_per_second, view.seconds_left
    return {
        "Done": f"{done} of {words.size(view.total)}" if view.total else done,
        "Rate": _UNKNOWN if rate is None else f"{words.size(rate)}/s",
        "Time left": _UNKNOWN if left is None else f"about {words.duration(left)}",
        "So far": words.duration(view.seconds_so_far),
    }


def show_running(running: p.Running, ground: Ground) -> Shown:
    lead = "This computer restarts by itself at the end." if running.restarts else ""
    content, inside = page(running.title, lead)
    progress = ProgressPanel()
    inside.addWidget(progress, stretch=1)
    pause = button("&Pause", ground.does(m.Pause()), name="Pause")
    resume = button("&Resume", ground.does(m.Resume()), name="Resume")
    stop = button("&Cancel", ground.does(m.GoBack()))

    def follow(flow: Flow) -> None:
        progress.hold(paused=flow.paused)
        leaving, coming = (pause, resume) if flow.paused else (resume, pause)
        had_focus = leaving.hasFocus()
        leaving.hide()
        coming.show()
        coming.setEnabled(flow.busy != STOPPING)
        if had_focus:
            coming.setFocus()

    return Shown(
        content,
        buttons=[pause, resume, stop],
        focus="log",
        has_back=False,
        hears=progress.hear,
        follows=follow,
    )


def show_done(done: p.Done, ground: Ground) -> Shown:
    report = done.report
    content, inside = page(report.title)
    for title, sentences, symbol, colour in (
        ("What was done", report.done, "check", ground.palette.ok),
        ("What was not", report.not_done, "minus", ground.palette.warn),
        ("Mind at the next start", report.remarks, "triangle-alert", ground.palette.warn),
        ("What was left out, and why", report.not_needed, "minus", ground.palette.ink2),
    ):
        if not sentences:
            continue
        frame, listed = panel()
        listed.addWidget(label(title, "heading"))
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        for place, sentence in enumerate(sentences):
            mark = label("")
            mark.setPixmap(icon(symbol, colour).pixmap(20, 20))
            grid.addWidget(mark, place, 0, alignment=Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(sentence, wraps=True), place, 1)
        listed.addLayout(grid)
        inside.addWidget(frame)
    if done.saved:
        inside.addWidget(label(f"The log is saved as {done.saved}.", "strong", state="ok"))
    buttons = [
        button("Save &log…", lambda: _name_log(content, ground)),
        button("Back to the &beginning", ground.does(m.GoHome())),
    ]
    on_medium = ground.flow.surroundings.on_medium
    if on_medium:
        buttons.append(button("&Turn off", ground.does(m.Leave(turn_off=True))))
    leave = main_button("&Restart now" if on_medium else "&Close", ground.does(m.Leave()))
    buttons.append(leave)
    if report.restart is not None and report.is_complete:
        inside.addWidget(_Countdown(report.restart, ground.does(m.Leave())))
    inside.addStretch(1)
    return Shown(
        content,
        sentence="Complete. Nothing was left out." if report.is_complete else "Not complete.",
        state="ok" if report.is_complete else "warn",
        buttons=buttons,
        main=leave,
        focus=leave.objectName() if report.is_complete else "Back to the beginning",
        has_back=False,
    )


class _Countdown(QWidget):
    """Restarts when it has run out, unless somebody stays."""

    def __init__(self, planned: Restart, restart: Callable[[], None]) -> None:
        super().__init__()
        self._restart = restart
        self._left = planned.seconds
        self._words = label("", "heading")
        inside = QVBoxLayout(self)
        inside.addWidget(self._words)
        if planned.request:
            inside.addWidget(label(planned.request, "secondary", wraps=True))
        self._stay = button("&Stay here", self._keep)
        inside.addWidget(self._stay)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        self._show()

    def tick(self) -> None:
        """A second has passed."""
        self._left -= 1
        self._show()
        if self._left <= 0:
            self._timer.stop()
            self._restart()

    def _keep(self) -> None:
        self._timer.stop()
        self.hide()

    def _show(self) -> None:
        self._words.setText(f"Restarts in {words.duration(max(0, self._left))}")


def show_back_up(plan: p.BackUpPlan, ground: Ground) -> Shown:
    content, inside = page(
        "Back up this computer", f"To {plan.place.shown}. The disks are only read."
    )
    frame, listed = panel()
    listed.addWidget(label("Disks", "heading"))
    for disk in plan.disks:
        listed.addWidget(label(disk))
    inside.addWidget(frame)
    for remark in plan.remarks:
        inside.addWidget(notice(remark, "", role="warning"))
    inside.addStretch(1)
    accept = main_button("&OK", ground.does(m.Accept()))
    return Shown(content, buttons=[accept], main=accept, focus="OK")


def show_files(files: p.Files, ground: Ground) -> Shown:
    content, inside = page("Copy single files", files.path, trail="Restore  >  Files")
    tree = table(
        "files", ("Name", "Size", "Changed"), says="Files and folders. Space ticks, Enter opens"
    )
    folders = {item.path for item in files.items if item.is_folder}
    if files.path != "/":
        above = files.path.rpartition("/")[0] or "/"
        tree.addTopLevelItem(line(above, ".. (one up)"))
        folders.add(above)
    for item in files.items:
        size = "" if item.is_folder else words.size(item.size)
        shown = line(item.path, item.name, size, words.moment(item.modified.astimezone()))
        shown.setIcon(0, icon("folder" if item.is_folder else "file", ground.palette.ink2))
        tree.addTopLevelItem(checkable(shown, checked=item.path in files.checked))
    on_check(tree, lambda path, on: ground.send(m.Check(path, on)))

    def activated(item: QTreeWidgetItem, _column: int) -> None:
        if (path := str(item.data(0, KEY))) in folders:
            ground.send(m.OpenFolder(path))

    tree.itemActivated.connect(activated, Qt.ConnectionType.QueuedConnection)
    inside.addWidget(tree, stretch=1)
    copy = main_button(
        "&Copy to a folder…", lambda: _choose_target(content, ground), enabled=bool(files.checked)
    )
    return Shown(
        content,
        sentence=f"{len(files.checked)} chosen",
        buttons=[copy],
        main=copy,
        focus="files",
    )


def _name_log(parent: QWidget, ground: Ground) -> None:
    name, _ = QFileDialog.getSaveFileName(
        parent,
        "Save the log",
        str(Path.home() / "everboot-log.txt"),
        options=QFileDialog.Option.DontUseNativeDialog,
    )
    if name:
        ground.send(m.SaveLog(name))


def _choose_target(parent: QWidget, ground: Ground) -> None:
    folder = QFileDialog.getExistingDirectory(
        parent, "Where the files go", "/", QFileDialog.Option.DontUseNativeDialog
    )
    if folder:
        ground.send(m.CopyTo(folder))
