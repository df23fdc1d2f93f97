"""From "Rescue Media" to disks that are back: real repository, real images, a mouse."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QLineEdit

from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from tests.helpers.disk_images import MIB
from tests.helpers.small_computer import SmallComputer
from tests.rescue.computers import BackedUp, back_up_computer
from tests.rescue.walker import Screen, Walker


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def empty_disk(path: Path, size: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def go_to_points(walker: Walker, backed_up: BackedUp) -> p.Select:
    walker.press("Manage the device locally")
    walker.press("Restore")
    walker.press("Select data…")
    walker.press("Browse")
    open_folder(walker, backed_up)
    return walker.until(p.Select)


def open_folder(walker: Walker, backed_up: BackedUp) -> None:
    walker.press("Folder or USB disk")
    walker.write("address", str(backed_up.repository))
    walker.press("OK")
    walker.until(p.Password)
    walker.write("password", backed_up.password)
    walker.press("OK")


def go_to_mapping(walker: Walker, backed_up: BackedUp) -> p.Mapping:
    select = go_to_points(walker, backed_up)
    (workstation,) = select.workstations
    assert workstation.points is not None
    walker.click_line("workstations", f"point 0 {workstation.points[0].id}")
    walker.qtbot.waitUntil(lambda: bool(contents_of(walker)), timeout=60_000)
    walker.press("OK")
    walker.qtbot.waitUntil(
        lambda: isinstance(walker.page, p.Mapping) and not walker.session.flow.busy
    )
    return walker.until(p.Mapping)


def contents_of(walker: Walker) -> tuple[object, ...]:
    return walker.page.contents if isinstance(walker.page, p.Select) else ()


def test_a_disk_comes_back_onto_an_empty_one_byte_for_byte(screen: Screen, tmp_path: Path) -> None:
    backed_up = back_up_computer(tmp_path, "windows-gpt")
    source = backed_up.computer.image
    target = empty_disk(tmp_path / "new.img", source.stat().st_size)
    walker = screen.open(images=(target,))

    mapping = go_to_mapping(walker, backed_up)
    assert mapping.required == 1
    assert "1 of 1 still required" in walker.words()
    walker.session.send(m.MapTo("disk0", mapping.destinations[0]))
    walker.until(p.Mapping)
    walker.press("OK")
    walker.until(p.Confirm)
    assert "As it will be" in walker.words()
    assert sha256(target) == hashlib.sha256(bytes(source.stat().st_size)).hexdigest()
    walker.press("OK")
    done = walker.until(p.Done)

    assert done.report.is_complete
    assert "read back and equal" in walker.words()
    assert sha256(target) == sha256(source)


def test_a_disk_comes_back_onto_a_larger_one_with_every_file(
    screen: Screen, tmp_path: Path
) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt")
    target = empty_disk(tmp_path / "larger.img", 160 * MIB)
    walker = screen.open(images=(target,))

    go_to_mapping(walker, backed_up)
    box = walker.find(QComboBox, "destination of disk0")
    box.setCurrentIndex(1)
    box.activated.emit(1)
    walker.qtbot.waitUntil(lambda: is_ready(walker), timeout=60_000)
    walker.press("OK")
    walker.press("OK")
    walker.until(p.Done)

    backed_up.computer.require_files(target, tmp_path)


def is_ready(walker: Walker) -> bool:
    return isinstance(walker.page, p.Mapping) and walker.page.is_ready


def test_a_disk_too_small_is_refused_in_words_and_stays_untouched(
    screen: Screen, tmp_path: Path
) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt")
    target = empty_disk(tmp_path / "small.img", 6 * MIB)
    walker = screen.open(images=(target,))

    mapping = go_to_mapping(walker, backed_up)
    walker.session.send(m.MapTo("disk0", mapping.destinations[0]))
    mapping = walker.until(p.Mapping)

    refused = walker.session.flow.problem or mapping.plans[0]
    assert refused is not None
    assert not mapping.is_ready
    assert "small" in walker.words()
    assert target.read_bytes() == bytes(6 * MIB)


def test_a_wrong_password_keeps_what_was_typed_and_says_what_to_try(
    screen: Screen, tmp_path: Path
) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt-ext")
    walker = screen.open()
    walker.press("Manage the device locally")
    walker.press("Restore")
    walker.press("Select data…")
    walker.press("Browse")
    walker.press("Folder or USB disk")
    walker.write("address", str(backed_up.repository))
    walker.press("OK")
    walker.until(p.Password)
    walker.write("password", "not this one")
    walker.press("OK")
    walker.qtbot.waitUntil(lambda: walker.session.flow.problem is not None, timeout=60_000)

    assert "does not open it" in walker.words()
    assert walker.find(QLineEdit, "password").text() == "not this one"
    walker.write("password", backed_up.password)
    walker.press("OK")
    assert walker.until(p.Select).workstations[0].points


def test_a_place_without_a_repository_is_named_and_back_leads_out(
    screen: Screen, tmp_path: Path
) -> None:
    walker = screen.open()
    nothing = BackedUp(SmallComputer(tmp_path / "none", {}), tmp_path / "nothing")
    walker.press("Manage the device locally")
    walker.press("Restore")
    walker.press("Select data…")
    walker.press("Browse")
    open_folder(walker, nothing)
    walker.qtbot.waitUntil(lambda: walker.session.flow.problem is not None, timeout=60_000)

    assert "no repository" in walker.words().lower()
    walker.press("Back")
    walker.press("Back")
    assert isinstance(walker.page, p.Browse)


def test_a_single_file_is_copied_out_of_a_volume(screen: Screen, tmp_path: Path) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt-ext")
    walker = screen.open()
    walker.press("Copy single files to a USB disk")
    walker.press("Select data…")
    walker.press("Browse")
    open_folder(walker, backed_up)
    select = walker.until(p.Select)
    points = select.workstations[0].points
    assert points is not None
    walker.click_line("workstations", f"point 0 {points[0].id}")
    walker.qtbot.waitUntil(lambda: bool(contents_of(walker)), timeout=60_000)
    walker.press("OK")
    walker.until(p.Files)
    for folder in ("/disk0", "/disk0/volume2"):
        walker.session.send(m.OpenFolder(folder))
        walker.until(p.Files)
    assert "/disk0/volume2/file.bin" in walker.keys("files")
    walker.session.send(m.Check("/disk0/volume2/file.bin", on=True))
    walker.session.send(m.CopyTo(str(tmp_path / "usb")))
    walker.until(p.Done)

    (copied,) = (tmp_path / "usb").rglob("file.bin")
    assert sha256(copied) == backed_up.computer.hashes[2]


def test_this_computer_is_backed_up_and_its_disk_not_changed(
    screen: Screen, tmp_path: Path
) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt-ext")
    image = backed_up.computer.image
    before = sha256(image)
    walker = screen.open(images=(image,))
    walker.press("Back up this computer")
    walker.press("Folder or USB disk")
    walker.write("address", str(backed_up.repository))
    walker.press("OK")
    walker.until(p.BackUpPlan)
    walker.press("OK")
    walker.until(p.Password)
    walker.write("password", backed_up.password)
    walker.press("OK")
    done = walker.until(p.Done)

    assert done.report.is_complete, done.report
    assert sha256(image) == before
    walker.press("Back to the beginning")
    select = go_to_points(walker, backed_up)
    points = select.workstations[0].points
    assert points is not None
    assert [point.is_disk for point in points] == [True, True]


def test_a_first_backup_makes_its_repository_only_once_the_password_was_typed_twice(
    screen: Screen, tmp_path: Path
) -> None:
    image = empty_disk(tmp_path / "disk.img", 4 * MIB)
    usb = tmp_path / "usb"
    walker = screen.open(images=(image,))
    walker.press("Back up this computer")
    walker.press("Folder or USB disk")
    walker.write("address", str(usb))
    walker.press("OK")
    walker.until(p.BackUpPlan)
    walker.press("OK")
    assert walker.until(p.Password).is_new
    walker.write("password", "blue kettle")
    walker.write("password again", "blue cattle")
    walker.press("OK")
    assert "The two differ." in walker.words()
    assert not usb.exists()
    walker.write("password again", "blue kettle")
    walker.press("OK")
    assert walker.until(p.Done).report.is_complete
    assert (usb / "config").is_file()
