"""Rescue media: an image becomes a USB key that starts this computer when nothing else does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QHBoxLayout, QLineEdit, QProgressBar

from backup_agent.errors import EverbootError, JobCancelledError
from backup_agent.gui.ground import Ground, words_of
from backup_agent.gui.page import Head, Page, card
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Disk
from backup_agent.model.events import Emit, Event, Progress
from backup_agent.model.media import MediaSettings
from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.job_queue import JobQueue, Wish
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.pace import Pace
from backup_agent.services.media.key import KeyPlan, plan_key, removable_disks, write_key
from backup_agent.services.media.slot import read_settings


def _write(plan: KeyPlan, emit: Emit, cancel: CancelToken) -> None:
    write_key(plan, emit=emit, cancel=cancel)


@dataclass(frozen=True, slots=True)
class KeyTools:
    """What is done with keys; tests have some that are files."""

    disks: Callable[[], tuple[Disk, ...]] = removable_disks
    plan: Callable[[Path, str], KeyPlan] = plan_key
    write: Callable[[KeyPlan, Emit, CancelToken], None] = _write


class MediaPage(Page):
    """Three questions on one page; the dangerous one is never the first to have the focus."""

    def __init__(self, ground: Ground, tools: KeyTools | None = None) -> None:
        super().__init__(ground, name=tr("Rescue media"))
        self._tools = tools or KeyTools()
        self._queue = JobQueue(self)
        self._was_looked = False
        self._pace = Pace(0)
        self.body.addWidget(
            Head(
                tr("Rescue media"),
                tr("A USB key that starts this computer and restores it, when nothing else does."),
            )
        )
        for part in (self._image_card(), self._key_card(), self._write_card()):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._follow()

    # Parts

    def _image_card(self) -> QFrame:
        frame, inside = card(tr("1. The image"))
        inside.addWidget(
            label(
                tr(
                    "Download it from your console (it then knows the console), or make one with: "
                    "{command}",
                    command="everboot iso build -o rescue.iso",
                ),
                "secondary",
                wraps=True,
            )
        )
        self._image = QLineEdit()
        self._image.setObjectName("image")
        self._image.setAccessibleName(tr("File with the image (.iso)"))
        self._image.setPlaceholderText(tr("File with the image (.iso)"))
        self._image.editingFinished.connect(self._look_at_image)
        line = QHBoxLayout()
        line.addWidget(self._image, stretch=1)
        line.addWidget(button(tr("Bro&wse…"), self._browse, name="browse image"))
        inside.addLayout(line)
        self._image_said = label("", wraps=True)
        self._image_said.setObjectName("image says")
        inside.addWidget(self._image_said)
        return frame

    def _key_card(self) -> QFrame:
        frame, inside = card(tr("2. The USB key"))
        self._keys = QComboBox()
        self._keys.setObjectName("key")
        self._keys.setAccessibleName(tr("USB key"))
        self._keys.currentIndexChanged.connect(self._follow)
        line = QHBoxLayout()
        line.addWidget(self._keys, stretch=1)
        line.addWidget(button(tr("&Look again"), self._look_for_keys, name="look again"))
        inside.addLayout(line)
        self._keys_said = label("", "secondary", wraps=True)
        inside.addWidget(self._keys_said)
        return frame

    def _write_card(self) -> QFrame:
        frame, inside = card(tr("3. Write and verify"))
        self._warning = label("", "strong", wraps=True)
        self._warning.setObjectName("what is lost")
        self._write = button(tr("Write the &key"), self._begin, kind="main", name="write key")
        self._stop = button(tr("&Stop"), self._queue.stop_current, name="stop writing")
        self._bar = QProgressBar()
        self._bar.setRange(0, 100)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress of writing"))
        self._outcome = label("", wraps=True)
        self._outcome.setObjectName("key outcome")
        line = QHBoxLayout()
        line.addWidget(self._warning, stretch=1)
        for made in (self._write, self._stop):
            line.addWidget(made, alignment=Qt.AlignmentFlag.AlignTop)
        inside.addLayout(line)
        inside.addWidget(self._bar)
        inside.addWidget(self._outcome)
        self._bar.hide()
        self._stop.hide()
        return frame

    def appeared(self) -> None:
        self._image.setFocus()
        if not self._was_looked:
            self._was_looked = True
            self._look_for_keys()

    def close_queue(self) -> None:
        self._queue.close()

    # Image and key

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Image"), str(Path.home()), "*.iso")
        if path:
            self._image.setText(path)
            self._look_at_image()

    def _look_at_image(self) -> None:
        text = self._image.text().strip()
        if not text:
            return

        def work(_emit: Emit, _cancel: CancelToken) -> MediaSettings:
            with Path(text).expanduser().open("rb") as file:
                return read_settings(file)

        self._queue.submit(Wish(work, self._say_image, self._refuse_image, kind="image"))

    def _say_image(self, settings: MediaSettings) -> None:
        said = tr("It is Everboot rescue media.")
        if settings.console:
            said += " " + tr("It knows the console {console}.", console=settings.console)
        self._image_said.setText(said)
        self._follow()

    def _refuse_image(self, error: BaseException) -> None:
        if isinstance(error, OSError):
            self._image_said.setText(tr("It cannot be read: {reason}", reason=str(error.strerror)))
        else:
            self._image_said.setText(" ".join(filter(None, words_of(error))))
        self._follow()

    def _look_for_keys(self) -> None:
        def work(_emit: Emit, _cancel: CancelToken) -> tuple[Disk, ...]:
            return self._tools.disks()

        self._queue.submit(Wish(work, self._show_keys, self._miss_keys, kind="keys"))

    def _show_keys(self, disks: tuple[Disk, ...]) -> None:
        self._keys.clear()
        for disk in disks:
            name = disk.model or tr("USB disk")
            self._keys.addItem(f"{name}, {words.size(disk.size)} ({disk.path})", disk)
        self._keys.setEnabled(bool(disks))
        self._keys_said.setText("" if disks else tr("No USB key is plugged in."))
        self._follow()

    def _miss_keys(self, error: BaseException) -> None:
        self._keys.setEnabled(False)
        self._keys_said.setText(" ".join(filter(None, words_of(error))))
        self._follow()

    def _follow(self) -> None:
        disk = self._keys.currentData()
        has_image = bool(self._image.text().strip())
        self._write.setEnabled(has_image and isinstance(disk, Disk))
        if isinstance(disk, Disk):
            self._warning.setText(
                tr(
                    "Everything on {name} ({size}) will be replaced.",
                    name=disk.model or disk.path,
                    size=words.size(disk.size),
                )
            )
        else:
            self._warning.setText(tr("Choose an image and a key first."))

    # Writing

    def _begin(self) -> None:
        disk = self._keys.currentData()
        image = Path(self._image.text().strip()).expanduser()
        assert isinstance(disk, Disk)

        def work(emit: Emit, cancel: CancelToken) -> str:
            self._tools.write(self._tools.plan(image, disk.path), emit, cancel)
            return disk.model or disk.path

        self._pace = Pace(time.monotonic())
        self._show_running(running=True)
        self._outcome.setText(tr("Writing"))
        failed = partial(self._end, "")
        self._queue.submit(Wish(work, self._done, failed, self._hear))

    def _show_running(self, *, running: bool) -> None:
        self._bar.setVisible(running)
        self._stop.setVisible(running)
        self._write.setVisible(not running)
        for widget in (self._image, self._keys):
            widget.setEnabled(not running)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Progress):
            return
        view = self._pace.add(event.bytes_done, event.bytes_total, time.monotonic())
        self._bar.setValue(view.percent)
        said = tr("Writing") if event.phase == "write" else tr("Reading back")
        if view.seconds_left is not None:
            left = words.duration(max(1, view.seconds_left))
            said += ". " + tr("About {time} left.", time=left)
        self._outcome.setText(said)

    def _done(self, name: str) -> None:
        self._end(
            tr("{name} is rescue media now: all of it was read back and compared.", name=name)
        )

    def _end(self, said: str, error: BaseException | None = None) -> None:
        self._show_running(running=False)
        if isinstance(error, JobCancelledError):
            said = tr("Stopped. The key holds half an image: write it again before it is used.")
        elif isinstance(error, EverbootError | Exception):
            said = " ".join(filter(None, words_of(error)))
        self._outcome.setText(said)
