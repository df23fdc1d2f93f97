"""Network and clock on the first page, in the bar above, and on their own pages."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton

from backup_agent.errors import StorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from rescue_media.clock.setting import ClockState
from rescue_media.errands.errands import Errands, Machine
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import wishes as w
from rescue_media.flow.pages import Surroundings
from rescue_media.flow.values import Computer, Place, Purpose, Status, StorageKind
from tests.rescue.test_pages import HOME, NETWORK, keep, require_no_sideways_scrolling, stand_on
from tests.rescue.walker import Screen

COMPUTER = Computer(
    "Dell OptiPlex 7090, 16 GB memory, UEFI, Secure Boot on",
    (("Disk 0", "Kingston NV2, 1 TB"), ("Disk 1", "WD Blue, 2 TB")),
)
STATUS = Status(NETWORK, ClockState(synchronised=True, by_network=True), COMPUTER)
ON_MEDIUM = Surroundings(on_medium=True, keyboard="EN-US")


def test_the_start_page_and_the_bar_tell_what_came_by_itself(screen: Screen) -> None:
    machine = Machine(on_medium=True, status=lambda: STATUS)
    walker = screen.open(surroundings=ON_MEDIUM, machine=machine)
    assert walker.find(QPushButton, "network").text() == "Network unknown"
    walker.window.look_around()
    walker.qtbot.waitUntil(lambda: walker.session.flow.status == STATUS)

    assert walker.find(QPushButton, "network").text() == "Wired, 192.168.1.47"
    words = walker.words()
    assert "Connected by cable, 192.168.1.47/24." in words
    assert "a time server was heard" in words
    assert "Dell OptiPlex 7090" in words
    require_no_sideways_scrolling(walker)
    keep(walker, "start-medium")
    walker.tab_to("Network settings")


def test_news_of_the_network_leave_the_focus_where_it_is(screen: Screen) -> None:
    walker = screen.open(surroundings=ON_MEDIUM)
    walker.tab_to("Check the disks")
    walker.session.send(m.LookedAround(STATUS))
    focus = walker.window.focusWidget()
    assert focus.objectName() == "Check the disks"


def test_off_the_medium_network_and_clock_are_not_ours(screen: Screen) -> None:
    walker = screen.open()
    assert "network" not in walker.names(QPushButton)
    assert "Network settings" not in walker.names(QPushButton)


def test_a_password_that_cannot_be_right_is_told_and_stays_in_its_field(screen: Screen) -> None:
    walker = screen.open(surroundings=ON_MEDIUM)
    stand_on(walker, p.Network(NETWORK, (HOME,)))
    walker.session.send(m.ChooseWifi(HOME))
    walker.write("wireless password", "short")
    walker.press("Join")
    walker.qtbot.waitUntil(lambda: walker.session.flow.problem is not None)
    assert "8 to 63 characters" in walker.words()
    assert walker.page == p.Wifi(HOME)


def test_the_clock_is_named_when_a_certificate_is_refused_for_its_dates(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Errands, _wish: w.Wish, _emit: Emit, _cancel: CancelToken) -> m.Answer:
        cause = ssl.SSLCertVerificationError("certificate is not yet valid")
        raise StorageError("The storage cannot be reached.", hint="Check the cable.") from cause

    monkeypatch.setattr(Errands, "perform", refuse)
    walker = screen.open()
    stand_on(walker, p.Address(Purpose.RESTORE, StorageKind.S3))
    walker.session.send(m.UsePlace(Place("s3:x", "x")))
    walker.qtbot.waitUntil(lambda: walker.session.flow.problem is not None)
    assert "The clock of this computer" in walker.words()


def test_another_keyboard_ends_the_window_so_that_it_begins_anew(
    screen: Screen, tmp_path: Path
) -> None:
    machine = Machine(on_medium=True, lasting=tmp_path)
    walker = screen.open(surroundings=ON_MEDIUM, machine=machine)
    walker.press("keyboard")
    assert walker.until(p.Keyboard) == p.Keyboard()
    with walker.qtbot.waitSignal(walker.session.ended):
        walker.session.send(m.UseKeyboard("de"))
    assert (tmp_path / "keyboard").read_text() == "de\n"
    assert not walker.window.isVisible()
