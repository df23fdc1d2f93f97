"""From the first start to a file that is back: through the window, with a real repository."""

from __future__ import annotations

import zipfile
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeView

from backup_agent.gui.places import Place
from backup_agent.services.existing import Existing
from tests.gui.person import FILES, Person, Screen

PASSWORD = "a long and quiet evening, 1926"


def make_documents(home: Path) -> Path:
    folder = home / "Documents"
    (folder / "letters").mkdir(parents=True)
    (folder / "plan.txt").write_text("a roof and four walls")
    (folder / "letters" / "to mira.txt").write_text("come and see")
    return folder


def make_plan(person: Person, folder: Path, storage: Path) -> None:
    """The four questions; then the first backup begins."""
    person.press("protect folders")
    person.press("take out")
    person.write("folder to add", str(folder))
    person.press("add folder")
    person.press("next")
    person.write("storage address", str(storage))
    person.write("password", PASSWORD)
    person.write("password again", PASSWORD)
    person.press("next")
    person.until(lambda: person.sees("how often"))
    person.choose("how often", "asked")
    person.press("next")
    person.until(lambda: person.sees("everything"))
    # Nothing to tidy up and nothing to check: the backup is the only run.
    person.press("everything")
    person.press("prove")
    person.press("next")
    person.until(lambda: not person.sees("next"))


def test_a_deleted_file_is_back_after_first_start_plan_backup_and_restore(
    screen: Screen, tmp_path: Path
) -> None:
    folder = make_documents(tmp_path)
    person = screen.open_at(screen.workplace())
    assert "Nothing is protected yet" in person.words()

    make_plan(person, folder, tmp_path / "backups")
    person.until(lambda: person.sees("past runs") and person.lines("past runs") == ["Complete"])
    assert "Everything is in the restore point." in person.words()

    (folder / "plan.txt").unlink()
    person.go(Place.RESTORE)
    person.until(lambda: person.sees(FILES) and person.lines(FILES) != [])
    walk_to(person, folder)
    tick(person, "plan.txt")
    assert "1 item, 21 bytes" in person.words()
    person.press("in place")
    person.choose("existing", Existing.BESIDE.value)
    person.press("begin restore")
    person.until_read("1 file restored in place")

    assert (folder / "plan.txt").read_text() == "a roof and four walls"
    assert sorted(path.name for path in folder.iterdir()) == ["letters", "plan.txt"]
    person.go(Place.OVERVIEW)
    person.until_read("Last backup")
    assert "Nothing is protected yet" not in person.words()


def walk_to(person: Person, folder: Path) -> None:
    person.walk_to(folder)
    person.until(lambda: "plan.txt" in person.lines(FILES))


def tick(person: Person, name: str) -> None:
    table = person.find(QTreeView, FILES)
    table.setFocus()
    table.setCurrentIndex(table.model().index(person.lines(FILES).index(name), 0))
    QTest.keyClick(table, Qt.Key.Key_Space)


def backed_up(screen: Screen, tmp_path: Path) -> tuple[Person, Path]:
    """A window in front of a first restore point."""
    folder = make_documents(tmp_path)
    person = screen.open_at(screen.workplace())
    make_plan(person, folder, tmp_path / "backups")
    person.until(lambda: person.sees("past runs") and person.lines("past runs") == ["Complete"])
    person.go(Place.RESTORE)
    person.until(lambda: person.sees(FILES) and person.lines(FILES) != [])
    walk_to(person, folder)
    return person, folder


def test_what_was_changed_since_stays_beside_what_is_restored(
    screen: Screen, tmp_path: Path
) -> None:
    person, folder = backed_up(screen, tmp_path)
    (folder / "plan.txt").write_text("a better roof")
    tick(person, "plan.txt")
    person.press("in place")
    person.press("begin restore")
    person.until_read("restored in place")
    assert (folder / "plan.txt").read_text() == "a better roof"
    (older,) = folder.glob("plan (restored *).txt")
    assert older.read_text() == "a roof and four walls"


def test_what_is_there_can_be_left_as_it_is(screen: Screen, tmp_path: Path) -> None:
    person, folder = backed_up(screen, tmp_path)
    (folder / "plan.txt").write_text("a better roof")
    (folder / "letters" / "to mira.txt").unlink()
    person.press("tick all")
    person.press("in place")
    person.choose("existing", Existing.KEEP.value)
    person.press("begin restore")
    person.until_read("1 file restored in place")
    assert (folder / "plan.txt").read_text() == "a better roof"
    assert (folder / "letters" / "to mira.txt").read_text() == "come and see"


def test_a_selection_goes_to_a_folder_and_into_a_zip(screen: Screen, tmp_path: Path) -> None:
    person, _ = backed_up(screen, tmp_path)
    tick(person, "letters")
    assert person.shared_mnemonics() == []
    person.press("to a folder")
    assert person.shared_mnemonics() == []
    person.write("destination", str(tmp_path / "elsewhere"))
    person.press("begin restore")
    person.until_read("1 file restored to")
    (found,) = (tmp_path / "elsewhere").rglob("to mira.txt")
    assert found.read_text() == "come and see"

    person.press("stop restore")
    tick(person, "plan.txt")
    person.press("save as zip")
    person.write("destination", str(tmp_path / "letters.zip"))
    person.press("begin restore")
    person.until_read("Saved as")
    with zipfile.ZipFile(tmp_path / "letters.zip") as made:
        name = next(one for one in made.namelist() if one.endswith("plan.txt"))
        assert made.read(name) == b"a roof and four walls"


def test_a_search_finds_a_file_that_only_an_earlier_restore_point_has(
    screen: Screen, tmp_path: Path
) -> None:
    person, folder = backed_up(screen, tmp_path)
    (folder / "plan.txt").unlink()
    person.go(Place.PLANS)
    person.press("run Documents")
    person.go(Place.ACTIVITY)
    person.until(lambda: person.lines("past runs") == ["Complete", "Complete"])
    person.press("restore from it")
    person.until(lambda: person.sees(FILES) and person.lines(FILES) == ["letters"])

    person.write("search", "PLAN")
    person.enter("search")
    found = f"plan.txt in {folder}"
    person.until(lambda: person.lines(FILES) == [found])
    person.key(Qt.Key.Key_Return)
    person.until(lambda: person.lines(FILES)[:1] == ["letters"] and len(person.lines(FILES)) == 2)
    person.until(lambda: person.lines(FILES)[1].startswith("plan.txt (deleted by "))
    person.until_read("1 item, 21 bytes")
    person.press("to a folder")
    person.write("destination", str(tmp_path / "elsewhere"))
    person.press("begin restore")
    person.until_read("1 file restored to")


def test_a_wrong_password_for_an_existing_backup_is_said_and_nothing_is_made(
    screen: Screen, tmp_path: Path
) -> None:
    person, _ = backed_up(screen, tmp_path)
    person.window.plan("")
    person.press("next")
    person.write("storage address", str(tmp_path / "backups"))
    person.write("password", "another one that does not fit")
    person.write("password again", "another one that does not fit")
    person.press("next")
    person.until_read("this password does not open them")
    assert person.sees("storage address"), "what was typed stays"
