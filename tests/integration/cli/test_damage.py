"""Each file of a repository cut short or with one bit flipped: an error names it, and what is
whole stays restorable.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.format.pack import BlobKind
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository, open_repository
from backup_agent.services.browse import PointBrowser, parse_path
from backup_agent.storage.local import LocalBackend
from tests.command_line import PASSWORD, CommandLine


def cut_short(path: Path, offset: int) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:offset])


def flip_a_bit(path: Path, offset: int) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


DAMAGES = pytest.mark.parametrize("damage", [cut_short, flip_a_bit])
READING = {
    "check": ("check",),
    "points": ("points",),
    "ls": ("ls", "latest"),
    "find": ("find", "*"),
    "diff": ("diff", "latest", "latest"),
    "restore": ("restore", "latest", "--target", "BACK"),
    "zip": ("zip", "latest", "-o", "BACK.zip"),
}


def arguments(used: CommandLine, command: str) -> list[str]:
    return [part.replace("BACK", str(used.home / "back")) for part in READING[command]]


def opened(used: CommandLine) -> Repository:
    repository = open_repository(LocalBackend(used.repository), PASSWORD)
    repository.load_index()
    return repository


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@DAMAGES
@pytest.mark.parametrize("command", [*READING, "backup"])
def test_damaged_config_is_named_by_every_command(
    used: CommandLine, damage: Callable[[Path, int], None], command: str
) -> None:
    damage(used.repository / "config", 40)
    what = ["backup", "/etc/hostname"] if command == "backup" else arguments(used, command)
    answer = used.run(*what)
    assert answer.code == 1
    assert "config of the repository is damaged" in answer.err


@DAMAGES
def test_damaged_only_key_is_named(used: CommandLine, damage: Callable[[Path, int], None]) -> None:
    key = only_file(used.repository / "keys")
    damage(key, 60)
    answer = used.run("points")
    assert answer.code in (1, 12)
    assert key.name in answer.err


def test_missing_keys_are_told_apart_from_a_wrong_password(used: CommandLine) -> None:
    only_file(used.repository / "keys").unlink()
    answer = used.run("points")
    assert answer.code == 1
    assert "No whole key file is left" in answer.err


@DAMAGES
@pytest.mark.parametrize("command", READING)
def test_damaged_index_is_named_and_keeps_nobody_from_their_data(
    used: CommandLine, damage: Callable[[Path, int], None], command: str
) -> None:
    index = min((used.repository / "index").iterdir())
    damage(index, 50)
    answer = used.run(*arguments(used, command))
    assert answer.code == (1 if command == "check" else 0)
    assert (answer.err + answer.out).count(f"index/{index.name}") == 1
    if command == "restore":
        restored = {path.name for path in (used.home / "back").rglob("*") if path.is_file()}
        assert restored == {"0.txt", "1.txt", "2.txt", "photo.jpg", "music.ogg", "new.txt"}


@DAMAGES
def test_damaged_index_stops_a_backup(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    index = min((used.repository / "index").iterdir())
    damage(index, 50)
    answer = used.run("backup", used.home / "documents")
    assert answer.code == 1
    assert f"index/{index.name}" in answer.err
    assert "everboot repair index" in answer.err


@DAMAGES
def test_damaged_point_is_told_and_hides_no_other(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    first, last = (p["id"] for p in used.ok("points", "--json").of_type("point"))
    damage(used.repository / "snapshots" / last, 50)
    answer = used.run("points")
    assert answer.code == 1
    assert f"snapshots/{last}" in answer.err
    assert first[:8] in answer.out
    for wanted in (last, "latest"):
        refused = used.run("ls", wanted)
        assert refused.code == 1
        assert f"snapshots/{last}" in refused.err
    assert used.run("restore", first, "--target", used.home / "back").code == 0


def data_place(used: CommandLine, name: str) -> tuple[Path, int]:
    """(pack, a byte in the middle of the first blob of a file) of the newest restore point."""
    repository = opened(used)
    with BlobReader(repository) as reader:
        point = repository.snapshot("latest")
        node = PointBrowser(reader, point).find(parse_path(f"{point.paths[0]}/{name}"))
        assert node.content
        place = repository.index.find(BlobKind.DATA, node.content[0])
    assert place is not None
    pack = used.repository / "data" / place.pack[:2] / place.pack
    return pack, place.blob.offset + place.blob.length // 2


@DAMAGES
def test_damaged_file_is_left_out_named_and_the_others_are_restored(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    pack, offset = data_place(used, "music.ogg")
    damage(pack, offset)
    back = used.home / "back"
    answer = used.run("restore", "latest", "--target", back)
    assert answer.code == 1
    assert "music.ogg" in answer.err
    assert pack.name in answer.err
    assert "everboot check" in answer.out
    assert not list(back.rglob("music.ogg"))
    (new,) = back.rglob("new.txt")
    assert new.read_text() == "new"
    if damage is flip_a_bit:
        restored = {path.name for path in back.rglob("*") if path.is_file()}
        assert restored == {"0.txt", "1.txt", "2.txt", "photo.jpg", "new.txt"}


@DAMAGES
def test_damaged_file_does_not_cost_the_good_one_that_stands_in_the_target(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    back = used.home / "back"
    used.ok("restore", "latest", "--target", back)
    (standing,) = back.rglob("music.ogg")
    before = standing.read_bytes()
    damage(*data_place(used, "music.ogg"))
    assert used.run("restore", "latest", "--target", back).code == 1
    assert standing.read_bytes() == before
    assert not list(back.rglob("*.part"))


@DAMAGES
def test_zip_of_a_damaged_file_fails_and_leaves_none(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    pack, offset = data_place(used, "photo.jpg")
    damage(pack, offset)
    answer = used.run("zip", "latest", "-o", used.home / "x.zip")
    assert answer.code == 1
    assert pack.name in answer.err
    assert not list(used.home.glob("x.zip*"))


def test_missing_pack_is_named(used: CommandLine) -> None:
    pack, _ = data_place(used, "photo.jpg")
    pack.unlink()
    answer = used.run("restore", "latest", "--target", used.home / "back")
    assert answer.code == 1
    assert pack.name in answer.err


@DAMAGES
def test_damaged_tree_is_named_and_costs_only_its_folder(
    used: CommandLine, damage: Callable[[Path, int], None]
) -> None:
    documents = opened(used).snapshot("latest").paths[0]
    with BlobReader(opened(used)) as reader:
        browser = PointBrowser(reader, opened(used).snapshot("latest"))
        subtree = browser.find(parse_path(f"{documents}/letters")).subtree
    assert subtree is not None
    place = opened(used).index.find(BlobKind.TREE, subtree)
    assert place is not None
    pack = used.repository / "data" / place.pack[:2] / place.pack
    damage(pack, place.blob.offset + 20)
    if damage is cut_short:
        # What was saved behind it in the same pack is gone, too; the folder is named at least.
        assert used.run("ls", "-R", "latest").code == 1
        return
    listing = used.run("ls", "-R", "latest")
    assert listing.code == 1
    assert f"{documents}/letters" in listing.err
    assert pack.name in listing.err
    assert "photo.jpg" in listing.out
    answer = used.run("restore", "latest", "--target", used.home / "back")
    assert answer.code == 1
    assert f"{documents}/letters" in answer.err
    assert {"photo.jpg", "music.ogg"} <= {path.name for path in (used.home / "back").rglob("*")}
    assert used.run("find", "*.jpg").code == 1
    assert used.run("zip", "latest", "-o", used.home / "x.zip").code == 1


@DAMAGES
@pytest.mark.parametrize("folder", ["index", "snapshots", "data"])
def test_check_names_every_damaged_file(
    used: CommandLine, damage: Callable[[Path, int], None], folder: str
) -> None:
    files = [path for path in (used.repository / folder).rglob("*") if path.is_file()]
    victim = max(files, key=lambda path: path.stat().st_size)
    damage(victim, 50)
    answer = used.run("--json", "check", "--read-data")
    assert answer.code == 1
    (summary,) = answer.of_type("summary")
    assert summary["num_errors"] > 0
    assert any(victim.name in record["file"] for record in answer.of_type("finding"))


def test_lost_index_is_rebuilt_and_everything_comes_back(used: CommandLine) -> None:
    for index in (used.repository / "index").iterdir():
        index.unlink()
    assert used.run("restore", "latest", "--target", used.home / "back").code == 1
    used.ok("repair", "index")
    used.ok("restore", "latest", "--target", used.home / "back")
    used.ok("check", "--read-data")


def test_a_flipped_bit_is_given_up_told_and_healed_by_the_next_backup(used: CommandLine) -> None:
    pack, offset = data_place(used, "photo.jpg")
    flip_a_bit(pack, offset)
    points = {record["id"] for record in used.ok("points", "--json").of_type("point")}
    planned = used.ok("repair", "index", "--read-packs", "--dry-run", "--json")
    (plan,) = planned.of_type("repair_plan")
    assert set(plan["points_touched"]) == points
    told = used.ok("repair", "index", "--read-packs").out
    assert pack.name in told
    assert "/photo.jpg" in told
    used.ok("backup", used.home / "documents")
    used.ok("check", "--read-data")
    used.ok("restore", "latest", "--target", used.home / "back")
    used.ok("prune", "--max-unused", "0")
    assert not pack.exists()
    used.ok("check", "--read-data")
    # Stock restic finds nothing amiss in what was repaired.
    command = ["restic", "--no-cache", "--repo", str(used.repository), "check", "--read-data"]
    environment = {**used.environment(), "RESTIC_PASSWORD": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
