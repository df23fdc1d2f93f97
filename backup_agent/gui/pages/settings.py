"""Settings: the console, what it may ask, how fast to go, and how the window looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QSpinBox,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from backup_agent.agent.desk import AgentSettings, Desk, DeskState
from backup_agent.agent.diagnostics import diagnostics
from backup_agent.agent.log import latest_lines, log_file
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import Head, Page, card
from backup_agent.gui.preferences import (
    Language,
    Preferences,
    Theme,
    load_preferences,
    preferences_file,
    save_preferences,
)
from backup_agent.gui.wizards.link_assistant import LinkAssistant
from backup_agent.gui.wizards.linking import linked_as, unlink
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr

_FASTEST = 10_000_000
_LOG_LINES = 2000


class SettingsPage(Page):
    def __init__(
        self,
        ground: Ground,
        environment: Mapping[str, str],
        wear: Callable[[Preferences], None],
    ) -> None:
        super().__init__(ground, name=tr("Settings"))
        self._environment, self._wear = environment, wear
        self._number = -1
        self._is_filling = False
        self._settings = AgentSettings()
        self._assistant: LinkAssistant | None = None
        every = QWidget()
        inside = QVBoxLayout(every)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(16)
        inside.addWidget(Head(tr("Settings")))
        for part in (self._console(), self._speed(), self._look(), self._about()):
            inside.addWidget(part)
        inside.addStretch(1)
        self._every = every
        self._faces = QStackedLayout()
        self._faces.addWidget(every)
        self.body.addLayout(self._faces)

    # Parts

    def _console(self) -> QFrame:
        frame, inside = card(tr("Console"))
        self._linked = label(tr("Not linked to a console"), wraps=True)
        self._linked.setObjectName("link state")
        self._link = button(tr("&Link this computer"), self.link, name="link")
        self._unlink = button(tr("&Unlink"), self._end_link, name="unlink")
        line = QHBoxLayout()
        line.addWidget(self._linked, stretch=1)
        line.addWidget(self._link)
        line.addWidget(self._unlink)
        inside.addLayout(line)
        self._obeys = QCheckBox(tr("The console may &start and stop backups of this computer"))
        self._obeys.setObjectName("obeys console")
        self._obeys.toggled.connect(self._change)
        inside.addWidget(self._obeys)
        return frame

    def _speed(self) -> QFrame:
        frame, inside = card(tr("How fast"))
        form = QFormLayout()
        self._upload, self._download = self._limit("upload limit"), self._limit("download limit")
        for says, box in (
            (tr("At most, when sending"), self._upload),
            (tr("At most, when fetching"), self._download),
        ):
            box.setAccessibleName(says)
            form.addRow(label(says), box)
        inside.addLayout(form)
        return frame

    def _limit(self, name: str) -> QSpinBox:
        box = QSpinBox()
        box.setObjectName(name)
        box.setRange(0, _FASTEST)
        box.setSingleStep(100)
        box.setSuffix(" KiB/s")
        box.setSpecialValueText(tr("as fast as it goes"))
        box.setMinimumWidth(200)
        # With every digit the number would be another one.
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self._change)
        return box

    def _look(self) -> QFrame:
        frame, inside = card(tr("This window"))
        form = QFormLayout()
        preferences = load_preferences(preferences_file(self._environment))
        self._theme, self._language = QComboBox(), QComboBox()
        themes = (
            (Theme.SYSTEM, tr("As the system has it")),
            (Theme.LIGHT, tr("Light")),
            (Theme.DARK, tr("Dark")),
        )
        languages = (
            (Language.SYSTEM, tr("As the system has it")),
            # A language is called by its own name.
            (Language.ENGLISH, "English"),
            (Language.FRENCH, "Français"),
        )
        for theme, text in themes:
            self._theme.addItem(text, theme.value)
        for language, text in languages:
            self._language.addItem(text, language.value)
        for name, says, combo, value in (
            ("theme", tr("Light or dark"), self._theme, preferences.theme.value),
            ("language", tr("Language"), self._language, preferences.language.value),
        ):
            combo.setObjectName(name)
            combo.setAccessibleName(says)
            combo.setCurrentIndex(combo.findData(value))
            combo.activated.connect(self._change_look)
            form.addRow(label(says), combo)
        inside.addLayout(form)
        return frame

    def _about(self) -> QFrame:
        frame, inside = card(tr("This agent"))
        self._version = label("", wraps=True)
        self._version.setObjectName("version")
        self._copied = label("", "secondary", wraps=True)
        self._copied.setObjectName("copied")
        line = QHBoxLayout()
        line.addWidget(self._version, stretch=1)
        line.addWidget(
            button(tr("&Copy diagnostics"), self._copy_diagnostics, name="copy diagnostics")
        )
        inside.addLayout(line)
        inside.addWidget(self._copied)
        return frame

    # News

    def show_state(self, state: DeskState) -> None:
        if state.number == self._number:
            return
        self._number = state.number
        said = tr("Version {version}.", version=state.version)
        if state.keeps_secrets_in:
            where = state.keeps_secrets_in
            said += " " + tr("Passwords are kept in: {where}.", where=where)
        self._version.setText(said)
        self._show_link()
        self.ground.desk.ask(lambda desk: desk.settings(), self._show_settings)

    def _show_link(self) -> None:
        self.ground.desk.ask(
            lambda _desk: linked_as(self._environment),
            lambda identity: self._say_link(
                ""
                if identity is None
                else tr(
                    "Linked to {console} ({organisation}) as {name}",
                    console=identity.console.address,
                    organisation=identity.organisation,
                    name=identity.name,
                )
            ),
        )

    def _say_link(self, words: str) -> None:
        self._linked.setText(words or tr("Not linked to a console"))
        self._link.setVisible(not words)
        self._unlink.setVisible(bool(words))
        self._obeys.setEnabled(bool(words))

    def _show_settings(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._is_filling = True
        self._obeys.setChecked(settings.obeys_console)
        self._upload.setValue(settings.upload_limit)
        self._download.setValue(settings.download_limit)
        self._is_filling = False

    def appeared(self) -> None:
        if self._assistant is not None:
            self._assistant.focus_likely()
        else:
            (self._link if self._link.isVisible() else self._unlink).setFocus()

    # Wishes

    def _change(self) -> None:
        if self._is_filling:
            return
        changed = replace(
            self._settings,
            obeys_console=self._obeys.isChecked(),
            upload_limit=self._upload.value(),
            download_limit=self._download.value(),
        )
        self.ground.desk.do(lambda desk: desk.change_settings(changed))

    def _change_look(self) -> None:
        chosen = Preferences(
            Theme(self._theme.currentData()), Language(self._language.currentData())
        )
        try:
            save_preferences(chosen, preferences_file(self._environment))
        except OSError as error:
            self.ground.ways.tell(error)
        self._wear(chosen)

    def _copy_diagnostics(self) -> None:
        log, now = log_file(self._environment), self.ground.now()

        def gather(desk: Desk) -> bytes:
            return diagnostics(desk, latest_lines(log, _LOG_LINES), now=now)

        self.ground.desk.ask(gather, self._copy)

    def _copy(self, gathered: bytes) -> None:
        QGuiApplication.clipboard().setText(gathered.decode())
        self._copied.setText(
            tr("Copied: state, history and log, without passwords. Look through it first.")
        )

    def link(self) -> None:
        """Show the assistant that links."""
        self.close_link()
        self._assistant = LinkAssistant(self.ground, self._environment, self.close_link)
        self._faces.addWidget(self._assistant)
        self._faces.setCurrentWidget(self._assistant)
        self._assistant.focus_likely()

    def close_link(self) -> None:
        if self._assistant is not None:
            self._assistant.stop()
            self._faces.setCurrentWidget(self._every)
            self._faces.removeWidget(self._assistant)
            self._assistant.deleteLater()
            self._assistant = None
            self._show_link()

    def _end_link(self) -> None:
        self._unlink.setEnabled(False)

        def ended(_problem: str) -> None:
            self._unlink.setEnabled(True)
            self._show_link()
            self.ground.desk.look()

        def failed(error: BaseException) -> None:
            self._unlink.setEnabled(True)
            self.ground.ways.tell(error)

        self.ground.desk.ask(lambda _desk: unlink(self._environment), ended, failed)
