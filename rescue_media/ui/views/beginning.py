"""The first pages: "Rescue Media", "Manage the device locally", "Restore", "Browse"."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from backup_agent.qtkit.controls import button, choice, label, panel
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.values import DiskHealth, Purpose, StorageKind
from rescue_media.ui.views.beside import beside_the_start
from rescue_media.ui.views.shown import Ground, Shown, main_button, page


def show_start(_page: p.Start, ground: Ground) -> Shown:
    content, inside = page("Get this computer back", "Nothing on it is changed before you say so.")
    on_medium = ground.flow.surroundings.on_medium
    columns = QHBoxLayout()
    columns.setSpacing(24)
    choices = QVBoxLayout()
    choices.setSpacing(10)
    columns.addLayout(choices, stretch=3)
    if on_medium:
        columns.addWidget(beside_the_start(ground), stretch=2)
    inside.addLayout(columns)
    for title, line, symbol, move in (
        (
            "Manage the device locally",
            "Restore this computer from a backup",
            "history",
            m.ManageLocally(),
        ),
        (
            "Copy single files to a USB disk",
            "From a backup, also out of the disks in it",
            "folder",
            m.Choose(Purpose.COPY_FILES),
        ),
        (
            "Back up this computer",
            "As it is now, all internal disks; they are only read",
            "download",
            m.Choose(Purpose.BACK_UP),
        ),
        ("Check the disks", "What they say of themselves", "activity", m.CheckDisks()),
    ):
        choices.addWidget(choice(title, line, symbol, ground.palette, ground.does(move)))
    if on_medium:
        choices.addWidget(
            choice(
                "Terminal",
                "For those who know what they do; Ctrl+Alt+F1 leads back",
                "square-terminal",
                ground.palette,
                ground.does(m.OpenTerminal()),
            )
        )
    choices.addStretch(1)
    buttons = [button("&Close", ground.does(m.Leave()))]
    if on_medium:
        buttons = [
            button("&Turn off", ground.does(m.Leave(turn_off=True))),
            button("&Restart", ground.does(m.Leave())),
        ]
    return Shown(
        content,
        sentence="Tab moves, Enter chooses, Escape goes back",
        buttons=buttons,
        focus="Manage the device locally",
        has_back=False,
    )


def show_manage(_page: p.Manage, ground: Ground) -> Shown:
    content, inside = page("Manage the device locally")
    for title, line, symbol, purpose in (
        ("Restore", "Bring back disks and volumes from a backup", "history", Purpose.RESTORE),
        (
            "Back up this computer",
            "All internal disks as they are; they are only read",
            "download",
            Purpose.BACK_UP,
        ),
    ):
        move = m.Choose(purpose)
        inside.addWidget(choice(title, line, symbol, ground.palette, ground.does(move)))
    inside.addStretch(1)
    return Shown(content, focus="Restore")


def show_begin(begin: p.Begin, ground: Ground) -> Shown:
    copies = begin.purpose is Purpose.COPY_FILES
    content, inside = page("Copy single files" if copies else "Restore", trail="Restore")
    frame, words = panel()
    words.addWidget(label("What to copy" if copies else "What to restore", "heading"))
    words.addWidget(
        label("Choose where the backup lies, then the restore point.", "secondary", wraps=True)
    )
    select = main_button("&Select data…", ground.does(m.SelectData()))
    words.addWidget(select)
    inside.addWidget(frame)
    inside.addStretch(1)
    return Shown(content, sentence="Nothing is written yet.", main=select, focus="Select data…")


def show_browse(browse: p.Browse, ground: Ground) -> Shown:
    backs_up = browse.purpose is Purpose.BACK_UP
    content, inside = page(
        "Where the backup goes" if backs_up else "Where the backup lies", trail="Browse"
    )
    inside.addWidget(
        choice(
            "Cloud Storage",
            "By your console, with a registration code",
            "cloud",
            ground.palette,
            ground.does(m.ChooseCloud()),
        )
    )
    for kind, line, symbol in (
        (StorageKind.FOLDER, "On a disk of this computer, or one that is attached", "usb"),
        (StorageKind.S3, "A bucket and its keys", "server"),
        (StorageKind.SWIFT, "A container of OpenStack", "server"),
        (StorageKind.WEBDAV, "A folder on a web server or a network disk", "globe"),
        (StorageKind.REST, "A storage gateway, as restic uses it", "server"),
    ):
        move = m.ChooseStorage(kind)
        inside.addWidget(choice(kind.value, line, symbol, ground.palette, ground.does(move)))
    inside.addStretch(1)
    return Shown(content, focus="Cloud Storage")


def show_disks(disks: p.Disks, _ground: Ground) -> Shown:
    content, inside = page("Check the disks", "What the drives say of themselves (SMART).")
    for health in disks.health or ():
        frame, words = panel(margin=16)
        _fill(words, health)
        inside.addWidget(frame)
    if disks.health == ():
        inside.addWidget(label("There is no disk in this computer.", "lead"))
    inside.addStretch(1)
    return Shown(content)


def _fill(words: QVBoxLayout, health: DiskHealth) -> None:
    verdict, state = {
        True: ("Good", "ok"),
        False: ("Worn", "warn"),
        None: ("Unknown", ""),
    }[health.is_good]
    line = QGridLayout()
    line.addWidget(label(health.disk, "strong"), 0, 0)
    line.addWidget(label(verdict, "strong", state=state), 0, 1)
    line.setColumnStretch(0, 1)
    words.addLayout(line)
    words.addWidget(label(" ".join(health.facts), "secondary", wraps=True))
