"""One running job: how far it is, how fast it goes, and the way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from backup_agent.agent.desk import RunningJob
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import card, clear, fact, rule
from backup_agent.gui.sentences import job_words
from backup_agent.qtkit import dates, words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.pace import Pace, PaceView
from backup_agent.qtkit.rate_line import SAMPLES, RateLine

_STEPS = 1000


class RunningCard(QFrame):
    """Lives as long as its job does; ``show_job`` brings what is new."""

    def __init__(self, job: RunningJob, ground: Ground) -> None:
        super().__init__()
        self.run_id = job.run_id
        self._ground = ground
        self._pace = Pace(time.monotonic())
        self._rates: list[float] = []
        frame, inside = card()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._title = label("", "heading", wraps=True)
        self._lead = label("", "secondary", wraps=True)
        self._stop = button(tr("&Stop"), self._ask_to_stop, name="stop")
        top = QHBoxLayout()
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self._title)
        said.addWidget(self._lead)
        top.addLayout(said, stretch=1)
        top.addWidget(self._stop, alignment=Qt.AlignmentFlag.AlignTop)
        inside.addLayout(top)
        self._bar = QProgressBar()
        self._bar.setObjectName("progress")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._percent = label("", "heading")
        across = QHBoxLayout()
        across.setSpacing(16)
        across.addWidget(self._bar, stretch=1)
        across.addWidget(self._percent)
        inside.addLayout(across)
        self._facts: dict[str, QLabel] = {}
        numbers = QHBoxLayout()
        numbers.setSpacing(24)
        captions = (("bytes", tr("Read")), ("files", tr("Files")), ("rate", tr("Rate")))
        for key, caption in captions:
            column, value = fact(caption)
            numbers.addLayout(column, stretch=1)
            self._facts[key] = value
        self._line = RateLine(ground.palette)
        numbers.addWidget(self._line, stretch=2)
        inside.addLayout(numbers)
        inside.addWidget(rule())
        self._current = label("", "caption")
        self._current.setAccessibleName(tr("At work on"))
        inside.addWidget(self._current)
        self.show_job(job)

    def show_job(self, job: RunningJob) -> None:
        view = self._pace.add(job.bytes_done, job.bytes_total, time.monotonic())
        self._title.setText(job_words(job.kind, job.plan_name))
        self._lead.setText(self._lead_words(job, view))
        self._stop.setEnabled(not job.stopping)
        self._show_bar(job, view)
        self._facts["bytes"].setText(_of(words.size(job.bytes_done), job.bytes_total, words.size))
        self._facts["files"].setText(
            _of(words.number(job.files_done), job.files_total, words.number)
        )
        rate = view.bytes_per_second
        self._facts["rate"].setText(tr("not known yet") if rate is None else words.rate(rate))
        if rate is not None:
            self._rates = [*self._rates[-SAMPLES + 1 :], rate]
            self._line.show_rates(tuple(self._rates))
        room = max(120, self.width() - 80)
        elided = Qt.TextElideMode.ElideMiddle
        self._current.setText(self._current.fontMetrics().elidedText(job.current, elided, room))
        self._current.setToolTip(job.current)

    def _lead_words(self, job: RunningJob, view: PaceView) -> str:
        now = self._ground.now()
        began = dates.at(job.started_at.astimezone(now.tzinfo), now)
        if job.stopping:
            return tr("Stopping. What was saved before stays.")
        said = tr("Started {when}.", when=began)
        if view.seconds_left is not None:
            left = words.duration(max(1, view.seconds_left))
            said += " " + tr("About {time} left.", time=left)
        return said

    def _show_bar(self, job: RunningJob, view: PaceView) -> None:
        if not job.bytes_total:
            # How much there is, is known only once it was walked through.
            self._bar.setRange(0, 0)
            self._percent.setText("")
            return
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(min(_STEPS, job.bytes_done * _STEPS // job.bytes_total))
        self._percent.setText(tr("{number} %", number=view.percent))

    def _ask_to_stop(self) -> None:
        self._stop.setEnabled(False)
        self._ground.desk.do(lambda desk: desk.stop(self.run_id))


def _of(done: str, total: int, write: Callable[[int], str]) -> str:
    """``48.1 GB of 77.6 GB``; how much there is may not be known."""
    return tr("{done} of {total}", done=done, total=write(total)) if total else done


class RunningCards(QVBoxLayout):
    """A card for each running job."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground = ground
        self._cards: dict[str, RunningCard] = {}
        self.setSpacing(12)

    def show_jobs(self, jobs: tuple[RunningJob, ...]) -> None:
        wanted = {job.run_id for job in jobs}
        if not self._cards.keys() <= wanted:
            clear(self)
            self._cards = {}
        for job in jobs:
            made = self._cards.get(job.run_id)
            if made is None:
                made = self._cards[job.run_id] = RunningCard(job, self._ground)
                self.addWidget(made)
            else:
                made.show_job(job)
