"""The fields that lead to a storage location, for each kind of storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr

_VAULT = "vault:"


class Kind(Enum):
    """The kinds of storage that people are asked for."""

    VAULT = "vault"
    FOLDER = "folder"
    S3 = "s3"
    SWIFT = "swift"
    WEBDAV = "webdav"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Field:
    """``variable``: the environment variable that the value is kept as; empty: the address."""

    key: str
    caption: str
    example: str = ""
    variable: str = ""
    is_secret: bool = False


def fields_of(kind: Kind) -> tuple[Field, ...]:
    user, password = tr("User"), tr("Password there")
    match kind:
        case Kind.VAULT:
            return ()
        case Kind.FOLDER:
            return (Field("address", tr("Folder")),)
        case Kind.S3:
            return (
                Field("address", tr("Address"), "https://s3.example.org/bucket/folder"),
                Field("user", tr("Access key"), variable="AWS_ACCESS_KEY_ID"),
                Field("secret", tr("Secret key"), "", "AWS_SECRET_ACCESS_KEY", is_secret=True),
            )
        case Kind.SWIFT:
            return (
                Field("address", tr("Container and folder"), "backups:/office"),
                Field(
                    "auth", tr("Address to log in"), "https://auth.example.org/v3", "OS_AUTH_URL"
                ),
                Field("id", tr("Application credential"), "", "OS_APPLICATION_CREDENTIAL_ID"),
                Field(
                    "secret",
                    tr("Its secret"),
                    variable="OS_APPLICATION_CREDENTIAL_SECRET",
                    is_secret=True,
                ),
            )
        case Kind.WEBDAV:
            return (
                Field("address", tr("Address"), "https://cloud.example.org/dav/backups"),
                Field("user", user, variable="EVERBOOT_WEBDAV_USERNAME"),
                Field("secret", password, "", "EVERBOOT_WEBDAV_PASSWORD", is_secret=True),
            )
        case Kind.REST:
            return (
                Field("address", tr("Address"), "https://backup.example.org/name/"),
                Field("user", user, variable="EVERBOOT_REST_USERNAME"),
                Field("secret", password, "", "EVERBOOT_REST_PASSWORD", is_secret=True),
            )


def address_of(kind: Kind, typed: str) -> str:
    """As the engine writes it; who typed the prefix, too, is understood."""
    if kind is Kind.VAULT:
        return _VAULT
    prefix = "" if kind is Kind.FOLDER else f"{kind.value}:"
    return typed if typed.startswith(prefix) else prefix + typed


def kind_of(address: str) -> tuple[Kind, str]:
    """(kind, what the field for the address shows)"""
    if address.startswith(_VAULT):
        return Kind.VAULT, ""
    for kind in (Kind.S3, Kind.SWIFT, Kind.WEBDAV, Kind.REST):
        if address.startswith(f"{kind.value}:"):
            return kind, address.removeprefix(f"{kind.value}:")
    return Kind.FOLDER, address


class StorageForm(QWidget):
    """``has_vault``: this computer is linked to a console."""

    changed = Signal()

    def __init__(self, *, has_vault: bool) -> None:
        super().__init__()
        self._fields: dict[str, tuple[Field, QLineEdit]] = {}
        self._kinds = QComboBox()
        self._kinds.setObjectName("kind of storage")
        self._kinds.setAccessibleName(tr("Kind of storage"))
        names = {
            Kind.VAULT: tr("This computer's vault at the console"),
            Kind.FOLDER: tr("Folder or USB disk"),
            Kind.S3: tr("S3, Amazon's or another"),
            Kind.SWIFT: tr("OpenStack Swift"),
            Kind.WEBDAV: tr("WebDAV (Nextcloud and others)"),
            Kind.REST: tr("REST server (restic's)"),
        }
        for kind, name in names.items():
            if has_vault or kind is not Kind.VAULT:
                self._kinds.addItem(name, kind.value)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._form.addRow(label(tr("Kind of storage"), "strong"), self._kinds)
        self._kinds.currentIndexChanged.connect(self._show_fields)
        self._show_fields()

    @property
    def kind(self) -> Kind:
        return Kind(self._kinds.currentData())

    def show_address(self, address: str) -> None:
        """Secrets are kept elsewhere and not shown."""
        kind, typed = kind_of(address)
        self._kinds.setCurrentIndex(max(0, self._kinds.findData(kind.value)))
        if "address" in self._fields:
            self._fields["address"][1].setText(typed)

    @property
    def address(self) -> str:
        """Empty where none was typed."""
        if self.kind is Kind.VAULT:
            return _VAULT
        typed = self._fields["address"][1].text().strip()
        return address_of(self.kind, typed) if typed else ""

    @property
    def variables(self) -> Mapping[str, str]:
        return {
            field.variable: line.text()
            for field, line in self._fields.values()
            if field.variable and line.text()
        }

    def focus_likely(self) -> None:
        self._kinds.setFocus()

    def _show_fields(self) -> None:
        while self._form.rowCount() > 1:
            self._form.removeRow(1)
        self._fields = {}
        for field in fields_of(self.kind):
            line = QLineEdit()
            line.setObjectName(f"storage {field.key}")
            line.setAccessibleName(field.caption)
            line.setPlaceholderText(field.example)
            if field.is_secret:
                line.setEchoMode(QLineEdit.EchoMode.Password)
            line.textChanged.connect(self.changed)
            self._fields[field.key] = (field, line)
            self._form.addRow(label(field.caption, "strong"), self._beside(line))
        self.changed.emit()

    def _beside(self, line: QLineEdit) -> QWidget:
        """A folder can be looked for, too."""
        if self.kind is not Kind.FOLDER:
            return line
        holder = QWidget()
        across = QHBoxLayout(holder)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(line, stretch=1)
        across.addWidget(button(tr("Bro&wse…"), lambda: self._browse(line), name="browse storage"))
        return holder

    def _browse(self, line: QLineEdit) -> None:
        if path := QFileDialog.getExistingDirectory(
            self, tr("Folder for the backups"), line.text()
        ):
            line.setText(path)
