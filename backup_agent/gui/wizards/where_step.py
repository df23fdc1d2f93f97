"""Where restore points go, and the password that opens them."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from PySide6.QtWidgets import QLineEdit

from backup_agent.agent.desk import LocationFinding, LocationState, Secrets
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.gui.ground import Ground, words_of
from backup_agent.gui.page import card
from backup_agent.gui.wizards.draft import Draft, at_location
from backup_agent.gui.wizards.step import Proceed, Refuse, Step
from backup_agent.gui.wizards.storage_form import StorageForm
from backup_agent.gui.wizards.strength import Strength, strength_of
from backup_agent.qtkit.controls import label
from backup_agent.qtkit.language import tr


class WhereStep(Step):
    """An empty password leaves the one that is kept for that location."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, tr("Where"), tr("Where to keep it"))
        state = ground.desk.state
        self._form = StorageForm(has_vault=state is not None and bool(state.console))
        self._form.changed.connect(self.changed)
        storage, inside = card(tr("Storage"))
        inside.addWidget(self._form)
        self.inside.addWidget(storage)
        self._password = self._secret_field("password", tr("Password of the backup"))
        self._again = self._secret_field("password again", tr("The same once more"))
        self._strength = label("", "caption", wraps=True)
        self._strength.setObjectName("strength")
        secret, inside = card(tr("Encryption"))
        inside.addWidget(
            label(
                tr(
                    "Everything is encrypted before it leaves this computer. Without the password "
                    "nobody can read it, and nobody can restore it: write it down."
                ),
                "secondary",
                wraps=True,
            )
        )
        for field in (self._password, self._again):
            inside.addWidget(label(field.accessibleName(), "strong"))
            inside.addWidget(field)
        inside.addWidget(self._strength)
        self.inside.addWidget(secret)
        self.inside.addStretch(1)
        self._password.textChanged.connect(self._judge)

    def _secret_field(self, name: str, says: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setAccessibleName(says)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        return field

    def _judge(self, text: str) -> None:
        words = {
            Strength.WEAK: tr("Weak: it could be guessed in days. Longer is stronger."),
            Strength.FAIR: tr("Fair: enough against most. Longer is stronger."),
            Strength.STRONG: tr("Strong."),
        }
        self._strength.setText(words[strength_of(text)] if text else "")

    # Draft

    def show_draft(self, draft: Draft) -> None:
        if not draft.is_new:
            self._form.show_address(draft.plan.location.address)
            self._password.setPlaceholderText(tr("as it is"))
            self._again.setPlaceholderText(tr("as it is"))

    def filled(self, draft: Draft) -> Draft:
        before = draft.plan.location
        location = StorageLocation(address=self._form.address)
        if location.address == before.address:
            location = before
        secrets = None
        if self._password.text() or self._form.variables or location != before:
            secrets = Secrets(password=self._password.text(), variables=self._form.variables)
        return at_location(draft, location, secrets)

    def check(self, draft: Draft, proceed: Proceed, refuse: Refuse) -> None:
        location, secrets = draft.plan.location, draft.secrets
        if not location.address:
            refuse(tr("It is not said where to."), tr("Name a folder or an address."))
            return
        if secrets is None:
            proceed(draft)
            return
        if not secrets.password:
            refuse(tr("There is no password."), tr("Choose one; without it nothing is encrypted."))
            return

        def found(finding: LocationFinding) -> None:
            self._answer(finding, draft, proceed, refuse)

        self.ground.desk.ask(
            lambda desk: desk.look_at(location, secrets),
            found,
            lambda error: refuse(*words_of(error)),
        )

    def _answer(
        self, finding: LocationFinding, draft: Draft, proceed: Proceed, refuse: Refuse
    ) -> None:
        match finding.state:
            case LocationState.READY:
                proceed(replace(draft, makes_repository=False))
            case LocationState.EMPTY:
                if self._password.text() != self._again.text():
                    refuse(
                        tr("The two passwords differ."),
                        tr("Type it twice: a mistake would lock you out for ever."),
                    )
                    return
                proceed(replace(draft, makes_repository=True))
            case LocationState.WRONG_PASSWORD:
                refuse(
                    tr("There are backups already, and this password does not open them."),
                    tr("Type the password they were made with, or name another place."),
                )
            case LocationState.FAILED:
                refuse(finding.message, finding.hint)
            case _:
                assert_never(finding.state)

    def focus_likely(self) -> None:
        self._form.focus_likely()
