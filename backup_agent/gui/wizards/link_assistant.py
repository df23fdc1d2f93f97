"""Linking this computer to a console: its address, then a code that is typed there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from backup_agent.errors import JobCancelledError
from backup_agent.gui.ground import Ground, words_of
from backup_agent.gui.page import Head, card, clear
from backup_agent.gui.wizards.linking import (
    AskedCode,
    Untrusted,
    ask_for_code,
    wait_until_linked,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.qtkit.bridge import Job
from backup_agent.qtkit.code_card import QrPicture
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr
from backup_agent.services.link.identity import DeviceIdentity

_QR_PIXELS = 160


class LinkAssistant(QWidget):
    """``ended`` is called once it is linked or given up."""

    def __init__(
        self, ground: Ground, environment: Mapping[str, str], ended: Callable[[], None]
    ) -> None:
        super().__init__()
        self._ground, self._environment, self._ended = ground, environment, ended
        self._job: Job | None = None
        self._trusted = ""
        self._is_over = False
        self._pages = QStackedWidget()
        self._problem = label("", state="bad", wraps=True)
        self._problem.setObjectName("link problem")
        self._problem.hide()
        self._address_page = self._make_address_page()
        self._code_page, self._code = card()
        self._done_page, self._done = card()
        for page in (self._address_page, self._code_page, self._done_page):
            self._pages.addWidget(page)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(12)
        inside.addWidget(
            Head(
                tr("Link this computer to a console"),
                tr("Its people then see how the backups go, and keep a vault for them."),
            )
        )
        inside.addWidget(self._problem)
        inside.addWidget(self._pages)
        inside.addStretch(1)
        line = QHBoxLayout()
        self._cancel = button(tr("Cancel"), self.give_up, kind="quiet", name="cancel link")
        line.addWidget(self._cancel)
        line.addStretch(1)
        inside.addLayout(line)

    def _make_address_page(self) -> QFrame:
        frame, inside = card(tr("Address of the console"))
        self._address = QLineEdit()
        self._address.setObjectName("console address")
        self._address.setAccessibleName(tr("Address of the console"))
        self._address.setPlaceholderText("https://backup.example.org")
        self._address.returnPressed.connect(self._ask)
        self._untrusted = label("", wraps=True)
        self._untrusted.setObjectName("untrusted")
        self._untrusted.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._untrusted.hide()
        inside.addWidget(self._address)
        inside.addWidget(self._untrusted)
        line = QHBoxLayout()
        line.addStretch(1)
        self._next = button(tr("Show the c&ode"), self._ask, kind="main", name="show code")
        line.addWidget(self._next)
        inside.addLayout(line)
        return frame

    def focus_likely(self) -> None:
        self._address.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
        else:
            super().keyPressEvent(event)

    def give_up(self) -> None:
        self.stop()
        self._ended()

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._is_over = True
        if self._job is not None:
            self._job.cancel.cancel()
            self._job.wait()

    # Asking

    def _ask(self) -> None:
        address = self._address.text().strip()
        if not address or not self._next.isEnabled():
            return
        if "://" not in address:
            address = f"https://{address}"
        self._next.setEnabled(False)
        self._problem.hide()
        trusted = self._trusted

        def work(_emit: Emit, _cancel: CancelToken) -> AskedCode | Untrusted:
            return ask_for_code(address, self._environment, trusted=trusted)

        self._start(work, self._asked)

    def _start(
        self, work: Callable[[Emit, CancelToken], object], done: Callable[..., object]
    ) -> None:
        self._job = Job(work, self)
        self._job.finished.connect(partial(self._finished, done))
        self._job.failed.connect(self._failed)
        self._job.start()

    def _finished(self, done: Callable[[object], object], answer: object) -> None:
        self._job = None
        if not self._is_over:
            done(answer)

    def _failed(self, error: BaseException) -> None:
        self._job = None
        if self._is_over or isinstance(error, JobCancelledError):
            return
        self._problem.setText(" ".join(filter(None, words_of(error))))
        self._problem.show()
        self._next.setEnabled(True)
        self._pages.setCurrentWidget(self._address_page)
        self._address.setFocus()

    def _asked(self, answer: AskedCode | Untrusted) -> None:
        self._next.setEnabled(True)
        if isinstance(answer, Untrusted):
            self._trusted = answer.fingerprint
            self._untrusted.setText(
                tr(
                    "No authority vouches for this console ({why}). Compare the SHA-256 "
                    "fingerprint with the one on its host, then go on:\n{fingerprint}",
                    why=answer.why,
                    fingerprint=answer.fingerprint,
                )
            )
            self._untrusted.show()
            self._next.setText(tr("It is the same, g&o on"))
            self._next.setAccessibleName(self._next.text().replace("&", ""))
            return
        self._show_code(answer)

        def work(_emit: Emit, cancel: CancelToken) -> DeviceIdentity:
            return wait_until_linked(answer, self._environment, cancel=cancel)

        self._start(work, self._linked)

    def _show_code(self, asked: AskedCode) -> None:
        clear(self._code)
        address, code = asked.codes.verification_uri, asked.codes.user_code
        across = QHBoxLayout()
        across.setSpacing(24)
        words = QVBoxLayout()
        words.addWidget(label(tr("Open this address and type the code:"), wraps=True))
        where = label(address, "strong", wraps=True)
        where.setObjectName("verification address")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(where)
        big = label(code, "code")
        big.setObjectName("code")
        big.setAccessibleName(tr("Code {code}", code=" ".join(code)))
        words.addWidget(big)
        words.addWidget(
            label(tr("The page must show this key: {key}", key=asked.fingerprint), wraps=True)
        )
        minutes = max(1, asked.codes.expires_in // 60)
        words.addWidget(
            label(
                tr("Waiting for the answer. The code lives {minutes} minutes.", minutes=minutes),
                "secondary",
                wraps=True,
            )
        )
        copy = button(tr("&Copy the code"), partial(_copy, code), name="copy code")
        words.addWidget(copy, alignment=Qt.AlignmentFlag.AlignLeft)
        across.addLayout(words, stretch=1)
        # The address alone: a code that came with it would be approved without a look.
        says = tr("The address as a QR code: {address}", address=address)
        across.addWidget(QrPicture(address, says=says, pixels=_QR_PIXELS))
        self._code.addLayout(across)
        self._pages.setCurrentWidget(self._code_page)
        copy.setFocus()

    def _linked(self, identity: DeviceIdentity) -> None:
        clear(self._done)
        said = tr(
            "Linked to {organisation} as {name}.",
            organisation=identity.organisation,
            name=identity.name,
        )
        told = label(said, "heading", wraps=True)
        told.setObjectName("linked as")
        self._done.addWidget(told)
        self._done.addWidget(label(tr("Its plans are told to the console now."), wraps=True))
        done = button(tr("&Done"), self.give_up, kind="main", name="link done")
        self._done.addWidget(done, alignment=Qt.AlignmentFlag.AlignRight)
        self._cancel.hide()
        self._pages.setCurrentWidget(self._done_page)
        self._ground.desk.look()
        done.setFocus()


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
