"""Every page on the smallest and on a large screen, light and dark.

With ``EVERBOOT_SCREENSHOTS`` naming a folder, what is seen is kept there to be looked at.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QScrollArea

from backup_agent.model.disk import Extent, TableKind
from backup_agent.model.events import Notice, Progress, TryingAgain
from backup_agent.qtkit.tokens import DARK, LIGHT
from backup_agent.services.restore_disk import DiskPicture, Placed
from rescue_media.errands.destinations import disks_found
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.pages import Flow, Page
from rescue_media.flow.proposal import propose
from rescue_media.flow.selection import everything, rows_of
from rescue_media.flow.values import (
    DiskHealth,
    Item,
    Place,
    Point,
    Problem,
    Purpose,
    Report,
    Restart,
    RowPlan,
    ShownCode,
    StorageKind,
    StoredDisk,
    Workstation,
)
from rescue_media.network.state import (
    Link,
    LinkKind,
    LinkState,
    NetworkState,
    WifiNetwork,
    WifiSecurity,
)
from tests.rescue.captured import NAMES, disks_of, stored
from tests.rescue.walker import Screen, Walker

GB = 10**9
NOW = datetime(2026, 11, 16, 18, 4, tzinfo=UTC)
PLACE = Place("vault:", "Cloud Storage, Keller & Fontana Architects", is_console=True)
CLOUD = p.Cloud(Purpose.RESTORE, "https://console.kellerfontana.example", "AA11-BB22-CC33")
CODE = ShownCode(
    "HKTW-QBNR", "https://console.kellerfontana.example/link", "7F3A 91C2 0E5D B864", 600
)
SIZES = {"1024x768": (1024, 768), "4k": (3840, 2160)}


def points() -> tuple[Point, ...]:
    return tuple(
        Point(
            f"{number:064x}",
            NOW - timedelta(days=number),
            True,
            1204 * GB,
            "Complete" if number else "Something left out",
            bool(number),
        )
        for number in range(6)
    )


def selected(machine: str = "office-nvme") -> p.Select:
    contents = tuple(stored(view, n) for n, view in enumerate(disks_of(machine)[:2]))
    computers = (
        Workstation("ATELIER-01", "vault:1", points()),
        Workstation("ATELIER-02 with a name that is far longer than any column is wide", "vault:2"),
    )
    return p.Select(
        Purpose.RESTORE, PLACE, computers, 0, points()[1], contents, everything(contents[:1])
    )


def mapping(machine: str = "office-nvme") -> p.Mapping:
    select = selected(machine)
    found = disks_found(disks_of(machine))
    rows = propose(rows_of(select.contents, select.checked), found.destinations)
    return p.Mapping(select, rows, found.disks, found.destinations)


def planned() -> p.Mapping:
    page = mapping()
    rows = tuple(replace(row, destination=row.proposal) for row in page.rows)
    disk = page.select.contents[0]
    picture = DiskPicture(
        disk.size,
        512,
        TableKind.GPT,
        tuple(Placed(v.number, Extent(v.start, v.size), v.name) for v in disk.volumes),
    )
    plan = RowPlan(
        "disk0",
        "/dev/nvme0n1",
        picture,
        picture,
        ("wipe old tables and file systems (2 places)", "write volume 1 (fat32)"),
        ("Windows checks the volume (chkdsk) when it first starts.",),
        "Windows, Recovery",
        312 * GB,
    )
    return replace(page, rows=rows, plans=(plan,))


WIRED = Link(
    "enp0s31f6", LinkKind.WIRED, LinkState.CONNECTED, "Wired connection 1", ("192.168.1.47/24",)
)
NETWORK = NetworkState((WIRED, Link("wlp2s0", LinkKind.WIFI, LinkState.DISCONNECTED)))
HOME = WifiNetwork("Keller & Fontana, second floor, guests", 71, WifiSecurity.PASSWORD)
PAGES: dict[str, Page] = {
    "start": p.Start(),
    "manage": p.Manage(),
    "begin": p.Begin(Purpose.RESTORE),
    "browse": p.Browse(Purpose.RESTORE),
    "cloud": CLOUD,
    "log-in": p.LogIn(CLOUD),
    "certificate": p.Certificate(CLOUD, ":".join(["A7"] * 32), "self-signed certificate"),
    "code": p.Code(CLOUD, CODE),
    "address": p.Address(Purpose.RESTORE, StorageKind.SWIFT),
    "select-empty": p.Select(Purpose.RESTORE),
    "select": selected(),
    "password": p.Password("ATELIER-01", PLACE, 0),
    "password-new": p.Password("/media/usb", PLACE, is_new=True),
    "map": mapping(),
    "map-chosen": planned(),
    "plan": p.Confirm(planned(), "/media/usb/plan.txt"),
    "back-up": p.BackUpPlan(PLACE, ("/dev/nvme0n1", "/dev/sda"), ("/dev/sdb is removable.",)),
    "files": p.Files(
        selected(),
        "/disk0/volume3/Users",
        (Item("/a", "Documents", True, 0, NOW), Item("/b", "plan.dwg", False, 3 * GB, NOW)),
        frozenset({"/b"}),
    ),
    "running": p.Running("Restoring Disk 0", Purpose.RESTORE, restarts=True),
    "done": p.Done(
        Report(
            "Everything is back",
            ("Disk 0 is on /dev/nvme0n1: 312 GB written, read back and equal.",),
            not_needed=("Boot sectors. They say already where their volumes lie.",),
            remarks=("Volume 3 is encrypted by BitLocker: have its recovery key at hand.",),
            restart=Restart(30, "Pull the USB key out."),
        )
    ),
    "done-not": p.Done(
        Report(
            "The restore is not finished",
            (),
            ("No network since 14:41.", "Check the cable, then begin again."),
            is_complete=False,
        )
    ),
    "network": p.Network(NETWORK, (HOME, WifiNetwork("Open", 12, WifiSecurity.OPEN))),
    "wifi": p.Wifi(HOME),
    "link-address": p.LinkAddress(WIRED),
    "proxy": p.Proxy(),
    "clock": p.DateAndTime(),
    "keyboard": p.Keyboard(),
    "disks": p.Disks(
        (DiskHealth("/dev/sda WD Blue 2 TB", False, ("412 worn areas were replaced.",)),)
    ),
}


def stand_on(walker: Walker, page: Page, *, problem: Problem | None = None) -> None:
    walker.session.flow = Flow(page, (p.Start(),), problem=problem)
    walker.session.changed.emit(walker.session.flow)
    QApplication.processEvents()


def require_no_sideways_scrolling(walker: Walker) -> None:
    area = walker.window.findChild(QScrollArea)
    assert area is not None
    bar = area.horizontalScrollBar()
    assert bar.maximum() == 0, f"{bar.maximum()} pixels are beyond the right edge"


def keep(walker: Walker, name: str) -> None:
    if folder := os.environ.get("EVERBOOT_SCREENSHOTS"):
        walker.window.grab().save(str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_fits_its_screen(screen: Screen, size: str, theme: str) -> None:
    palette = LIGHT if theme == "light" else DARK
    walker = screen.open(size=SIZES[size], palette=palette)
    for name, page in PAGES.items():
        stand_on(walker, page)
        require_no_sideways_scrolling(walker)
        keep(walker, f"{name}-{size}-{theme}")


@pytest.mark.parametrize("machine", NAMES)
def test_the_mapping_of_any_computer_can_be_read_and_reached_by_keys(
    screen: Screen, machine: str
) -> None:
    walker = screen.open()
    stand_on(walker, mapping(machine))
    require_no_sideways_scrolling(walker)
    walker.tab_to("destination of disk0")
    walker.tab_to("Back")
    keep(walker, f"machine-{machine}")


def test_a_problem_is_shown_on_the_page_and_goes_with_the_next_move(screen: Screen) -> None:
    walker = screen.open()
    stand_on(walker, PAGES["select"], problem=Problem("No network.", "Check the cable."))
    assert "No network." in walker.words()
    assert "Check the cable." in walker.words()
    keep(walker, "problem")
    walker.session.send(m.Check("disk1", on=True))
    assert "No network." not in walker.words()


def test_lost_network_is_told_until_bytes_come_again(screen: Screen) -> None:
    walker = screen.open()
    stand_on(walker, PAGES["running"])
    hear = walker.session.news.emit
    hear(Progress("restore", bytes_done=193 * GB, bytes_total=312 * GB))
    hear(Notice("Restoring Disk 0 to /dev/nvme0n1."))
    hear(TryingAgain("No route to host. Trying again in 8 s.", 8))
    assert "61 %" in walker.words()
    assert "Trying again in 8 s. What is written stays." in walker.words()
    keep(walker, "running-lost")
    hear(Progress("restore", bytes_done=194 * GB, bytes_total=312 * GB))
    assert "Trying again" not in walker.words()


def test_names_from_a_backup_are_never_taken_for_markup(screen: Screen) -> None:
    walker = screen.open()
    select = selected()
    evil = "<img src=x><b>ATELIER</b>"
    contents = (StoredDisk(0, evil, "", "GPT", GB, ()),)
    stand_on(walker, replace(select, place=Place("x", evil), contents=contents))
    assert f"From  {evil}" in walker.words()
