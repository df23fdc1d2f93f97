"""Where backups lie: the console by registration code, or storage by its address."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLineEdit,
    QProgressBar,
    QWidget,
)

from backup_agent.qtkit.code_card import QrPicture
from backup_agent.qtkit.controls import button, label, panel, row
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.values import Place, StorageKind
from rescue_media.ui.views.shown import Ground, Shown, main_button, page

_CREDENTIALS: dict[StorageKind, tuple[tuple[str, str, bool], ...]] = {
    StorageKind.FOLDER: (),
    StorageKind.S3: (
        ("Access key", "AWS_ACCESS_KEY_ID", False),
        ("Secret key", "AWS_SECRET_ACCESS_KEY", True),
        ("Region", "AWS_DEFAULT_REGION", False),
    ),
    StorageKind.SWIFT: (
        ("Login address", "OS_AUTH_URL", False),
        ("User", "OS_USERNAME", False),
        ("Password", "OS_PASSWORD", True),
        ("Project", "OS_PROJECT_NAME", False),
        ("User domain", "OS_USER_DOMAIN_NAME", False),
        ("Project domain", "OS_PROJECT_DOMAIN_NAME", False),
        ("Region", "OS_REGION_NAME", False),
    ),
    StorageKind.WEBDAV: (
        ("User", "EVERBOOT_WEBDAV_USERNAME", False),
        ("Password", "EVERBOOT_WEBDAV_PASSWORD", True),
    ),
    StorageKind.REST: (
        ("User", "EVERBOOT_REST_USERNAME", False),
        ("Password", "EVERBOOT_REST_PASSWORD", True),
    ),
}
_SCHEMES = {
    StorageKind.FOLDER: ("", "/media/sdb1/backup"),
    StorageKind.S3: ("s3:", "https://s3.example.org/bucket"),
    StorageKind.SWIFT: ("swift:", "container:/"),
    StorageKind.WEBDAV: ("webdav:", "https://example.org/backup"),
    StorageKind.REST: ("rest:", "https://example.org/backup/"),
}
_TICK_MILLISECONDS = 1000


def show_cloud(cloud: p.Cloud, ground: Ground) -> Shown:
    content, inside = page("Cloud Storage", trail="Browse")
    frame, words = panel()
    form = QFormLayout()
    console = text_field(
        "console", "Console's address", cloud.console, "https://backup.example.org"
    )
    media_code = text_field("media code", "Media code", cloud.media_code, "AA11-BB22-CC33, if any")
    form.addRow(label("Console's address"), console)
    form.addRow(label("Media code"), media_code)
    words.addLayout(form)
    inside.addWidget(frame)

    def use_code() -> None:
        ground.send(m.UseCode(console.text().strip(), media_code.text().strip()))

    use = main_button("&Use the registration code", use_code)
    log_in = button("&Log In", lambda: ground.send(m.ChooseLogIn(console.text().strip())))
    inside.addLayout(row(use, log_in))
    inside.addWidget(
        label(
            "The code is typed in the console by somebody who is logged in there. The media code "
            "comes with the download of this medium; it only says whose it is.",
            "secondary",
            wraps=True,
        )
    )
    inside.addStretch(1)
    focus = "Use the registration code" if cloud.console else "console"
    return Shown(content, main=use, focus=focus)


def show_log_in(log_in: p.LogIn, ground: Ground) -> Shown:
    content, inside = page("Log In", trail="Cloud Storage")
    frame, words = panel()
    words.addWidget(
        label(
            "Accounts of an Everboot console are protected by two-factor authentication, so the "
            "account's password is not taken here. Log in to the console on a phone or another "
            "computer, and let this one in with a registration code.",
            "lead",
            wraps=True,
        )
    )
    inside.addWidget(frame)
    inside.addStretch(1)
    cloud = log_in.cloud
    use = main_button(
        "&Use the registration code", ground.does(m.UseCode(cloud.console, cloud.media_code))
    )
    return Shown(content, buttons=[use], main=use, focus="Use the registration code")


def show_certificate(shown: p.Certificate, ground: Ground) -> Shown:
    content, inside = page(
        "Is this your console?", f"No authority vouches for its certificate ({shown.why})."
    )
    frame, words = panel()
    words.addWidget(label("SHA-256 fingerprint of its certificate", "caption"))
    digits = shown.fingerprint
    half = len(digits) // 2
    words.addWidget(label(f"{digits[: half + 1]}\n{digits[half + 1 :]}", "key"))
    words.addWidget(
        label("Compare it with the one on the console's host.", "secondary", wraps=True)
    )
    inside.addWidget(frame)
    inside.addStretch(1)
    trust = button("&It is the same: trust it", ground.does(m.TrustCertificate()))
    return Shown(
        content,
        sentence="If it differs, somebody stands between you and your console.",
        state="warn",
        buttons=[trust],
        focus="Back",
    )


def show_code(code: p.Code, ground: Ground) -> Shown:
    content, inside = page(
        "Use the registration code",
        "On a phone or another computer, open the address and type the code.",
        trail="Cloud Storage",
    )

    def ask_again() -> None:
        ground.send(m.GoBack())
        ground.send(m.UseCode(code.cloud.console, code.cloud.media_code))

    again = button("&New code", ask_again)
    shown = code.shown
    if shown is None:
        inside.addStretch(1)
        return Shown(content, focus="Back")
    grid = QGridLayout()
    card, words = panel()
    words.addStretch(1)
    for text, role in (
        ("Address", "caption"),
        (shown.address, "heading"),
        ("Registration code", "caption"),
        (shown.user_code, "code"),
    ):
        line = label(text, role)
        line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        line.setObjectName(text if role == "caption" else f"shown {role}")
        words.addWidget(line)
    words.addWidget(_Countdown(shown.expires_in))
    words.addStretch(1)
    grid.addWidget(card, 0, 0, 2, 1)
    side, picture = panel()
    says = f"QR code of the address {shown.address}"
    picture.addWidget(QrPicture(shown.address, says=says), alignment=Qt.AlignmentFlag.AlignCenter)
    picture.addWidget(label("Opens the address on a phone", "secondary"))
    grid.addWidget(side, 0, 1)
    key, digits = panel()
    digits.addWidget(label("The console must show this key", "caption"))
    digits.addWidget(label(shown.key, "key"))
    digits.addStretch(1)
    grid.addWidget(key, 1, 1)
    grid.setColumnStretch(0, 1)
    inside.addLayout(grid, stretch=1)
    return Shown(
        content,
        sentence="The page goes on by itself as soon as the code is approved.",
        buttons=[again],
        focus="Back",
    )


class _Countdown(QWidget):
    """How long the code is still good; seconds counted while it is shown."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self._left = seconds
        self._bar = QProgressBar()
        self._bar.setRange(0, seconds)
        self._bar.setTextVisible(False)
        self._words = label("", "secondary")
        grid = QGridLayout(self)
        grid.addWidget(self._bar, 0, 0, 1, 2)
        grid.addWidget(label("Waiting for approval", "strong", state="running"), 1, 0)
        grid.addWidget(self._words, 1, 1, alignment=Qt.AlignmentFlag.AlignRight)
        timer = QTimer(self)
        timer.setInterval(_TICK_MILLISECONDS)
        timer.timeout.connect(self._tick)
        timer.start()
        self._show()

    def _tick(self) -> None:
        self._left = max(0, self._left - 1)
        self._show()

    def _show(self) -> None:
        self._bar.setValue(self._left)
        self._words.setText(f"Valid for {self._left // 60}:{self._left % 60:02d}")


def show_address(address: p.Address, ground: Ground) -> Shown:
    kind = address.kind
    scheme, example = _SCHEMES[kind]
    content, inside = page(kind.value, trail="Browse")
    frame, words = panel()
    form = QFormLayout()
    where = text_field("address", "Folder" if not scheme else "Address", "", example)
    form.addRow(label("Folder" if not scheme else "Address"), where)
    credentials: list[tuple[str, QLineEdit]] = []
    secrets: list[QLineEdit] = []
    for title, variable, is_secret in _CREDENTIALS[kind]:
        field = text_field(title.lower(), title, "", "")
        if is_secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
            secrets.append(field)
        credentials.append((variable, field))
        form.addRow(label(title), field)
    words.addLayout(form)
    if secrets:
        words.addWidget(show_box(secrets))
    if kind is StorageKind.FOLDER:
        words.addLayout(row(button("&Choose a folder…", lambda: _choose_folder(where))))
    inside.addWidget(frame)
    inside.addStretch(1)

    def use() -> None:
        text = where.text().strip().removeprefix(scheme)
        if text:
            settings = tuple((name, f.text()) for name, f in credentials if f.text())
            shown = text.rpartition("@")[2]
            ground.send(m.UsePlace(Place(f"{scheme}{text}", shown, settings)))

    go_on = main_button("&OK", use)
    return Shown(content, buttons=[go_on], main=go_on, focus="address")


def show_password(password: p.Password, ground: Ground) -> Shown:
    lead = f"{password.shown} is encrypted. The password was chosen with the first backup."
    if password.is_new:
        lead = "Choose one and write it down: without it nobody can open the backup, ever."
    content, inside = page("Encryption password", lead, trail="Select data")
    frame, words = panel()
    field = text_field("password", "Encryption password", "", "")
    field.setEchoMode(QLineEdit.EchoMode.Password)
    words.addWidget(field)
    again = text_field("password again", "The same password again", "", "Once more")
    again.setEchoMode(QLineEdit.EchoMode.Password)
    if password.is_new:
        words.addWidget(again)
    words.addWidget(show_box([field, again]))
    differ = label("The two differ.", "strong", state="warn")
    differ.hide()
    words.addWidget(differ)
    if keyboard := ground.flow.surroundings.keyboard:
        words.addWidget(label(f"The keyboard's layout is {keyboard}.", "caption"))
    inside.addWidget(frame)
    inside.addStretch(1)

    def give() -> None:
        if password.is_new and (not field.text() or field.text() != again.text()):
            differ.setText("The two differ." if field.text() else "No password was typed.")
            differ.show()
            return
        ground.send(m.GivePassword(field.text()))

    open_it = main_button("&OK", give)
    return Shown(content, buttons=[open_it], main=open_it, focus="password")


def text_field(name: str, says: str, text: str, hint: str) -> QLineEdit:
    field = QLineEdit(text)
    field.setObjectName(name)
    field.setAccessibleName(says)
    field.setPlaceholderText(hint)
    return field


def show_box(secrets: list[QLineEdit]) -> QCheckBox:
    box = QCheckBox("S&how")
    box.setObjectName("show")
    box.setAccessibleName("Show what is typed")

    def show(shown: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password
        for field in secrets:
            field.setEchoMode(mode)

    box.toggled.connect(show)
    return box


def _choose_folder(field: QLineEdit) -> None:
    folder = QFileDialog.getExistingDirectory(
        field,
        "Folder of the backup",
        # There the medium keeps what is on USB disks.
        field.text() or "/media",
        QFileDialog.Option.DontUseNativeDialog,
    )
    if folder:
        field.setText(folder)
