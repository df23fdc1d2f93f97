"""Files inside the volumes of a disk restore point, by the command line."""

from __future__ import annotations

import json
import os
import random
import zipfile
from pathlib import Path

import pytest

from backup_agent.format.omissions import encode_omissions
from backup_agent.model.disk import Extent
from backup_agent.model.node import NodeKind
from backup_agent.model.omission import Omission
from backup_agent.services.browse import PointBrowser
from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk, place, run_tool
from tests.helpers.foreign_volumes import make_empty, mounted_ntfs, survey

CONTENT = random.Random(1).randbytes(2 * MIB + 3)
LAYOUT = "label: gpt\nstart=1MiB, size=16MiB\nstart=17MiB, size=8MiB\nstart=25MiB, size=2MiB\n"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A disk with an NTFS volume, an ext4 one and one of noise; and the folder that ext4 holds."""
    scratch = tmp_path_factory.mktemp("disk")
    image = make_disk(scratch / "disk.img", 32 * MIB, LAYOUT)
    ntfs = make_empty(scratch / "ntfs", 16 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(ntfs, scratch / "mounted") as folder:
        (folder / "Users" / "me").mkdir(parents=True)
        (folder / "Users" / "me" / "large").write_bytes(CONTENT)
        (folder / "Users" / "me" / "note.txt").write_bytes(b"note")
        Path(f"{folder}/Users/me/note.txt:Zone.Identifier").write_bytes(b"zone")
        os.link(folder / "Users" / "me" / "note.txt", folder / "Users" / "same.txt")
        (folder / "Note.txt").write_bytes(b"capital")
        (folder / "note.txt").write_bytes(b"small")
        (folder / "PageFile.sys").write_bytes(CONTENT[::2])
    folder = scratch / "folder"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "passwd").write_bytes(b"root")
    (folder / "etc" / "passwd").chmod(0o640)
    (folder / "etc" / "large").write_bytes(CONTENT[::-1])
    (folder / "etc" / "link").symlink_to("/etc/shadow")
    os.utime(folder / "etc" / "passwd", (10**9, 10**9))
    ext = make_empty(scratch / "ext", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    place(image, MIB, ntfs.read_bytes())
    place(image, 17 * MIB, ext.read_bytes())
    return image, folder


@pytest.fixture
def point(used: CommandLine, disk: tuple[Path, Path]) -> CommandLine:
    used.ok("backup", "--disk", disk[0])
    return used


def names(shell: CommandLine, *arguments: str) -> list[str]:
    return sorted(r["path"] for r in shell.ok("ls", "latest", *arguments, "--json").of_type("node"))


def test_volumes_are_listed_beside_what_is_stored(point: CommandLine) -> None:
    assert names(point) == ["/disk0", "/disks", "/machine.json"]
    assert names(point, "/disk0") == ["/disk0/volume1", "/disk0/volume2", "/disk0/volume3"]
    assert names(point, "/disks/0/volumes") == [f"/disks/0/volumes/{n}" for n in (1, 2, 3)]
    assert names(point, "/disk0/volume1") == [
        f"/disk0/volume1/{name}" for name in ("Note.txt", "PageFile.sys", "Users", "note.txt")
    ]
    assert names(point, "/disk0/volume1/Users/me") == [
        f"/disk0/volume1/Users/me/{name}"
        for name in ("large", "note.txt", "note.txt:Zone.Identifier")
    ]


def test_everything_below_is_listed_and_found(point: CommandLine) -> None:
    everything = names(point, "-R")
    assert "/disk0/volume1/Users/me/large" in everything
    assert "/disk0/volume2/etc/passwd" in everything
    assert "/disks/0/volumes/1/image/0000/part" in everything
    found = point.ok("find", "--point", "latest", "note*", "-i", "--json").of_type("node")
    assert sorted(node["path"] for node in found) == [
        "/disk0/volume1/Note.txt",
        "/disk0/volume1/Users/me/note.txt",
        "/disk0/volume1/Users/me/note.txt:Zone.Identifier",
        "/disk0/volume1/note.txt",
    ]


def test_files_of_an_ext_volume_come_back_with_all_they_had(
    point: CommandLine, disk: tuple[Path, Path]
) -> None:
    target = point.home / "back"
    answer = point.ok("restore", "latest", "/disk0/volume2", "--target", target, "--verify")
    assert "read back and compared" in answer.out
    back = target / "disk0" / "volume2"
    restored = survey(back)
    assert restored.pop(b"/lost+found").kind is NodeKind.FOLDER
    assert restored == survey(disk[1])
    status = (back / "etc" / "passwd").stat()
    assert (status.st_mode & 0o7777, status.st_mtime_ns) == (0o640, 10**18)


def test_files_of_an_ntfs_volume_come_back_with_streams_and_hard_links(
    point: CommandLine,
) -> None:
    target = point.home / "back"
    point.ok("restore", "latest", "/disk0/volume1/Users", "/machine.json", "--target", target)
    assert json.loads((target / "machine.json").read_bytes())["version"] == 1
    users = target / "disk0" / "volume1" / "Users"
    assert (users / "me" / "large").read_bytes() == CONTENT
    assert (users / "me" / "note.txt:Zone.Identifier").read_bytes() == b"zone"
    assert (users / "me" / "note.txt").samefile(users / "same.txt")
    assert not (target / "disk0" / "volume1" / "note.txt").exists()


def test_one_stream_and_one_spelling_of_a_name_can_be_chosen(point: CommandLine) -> None:
    target = point.home / "back"
    chosen = ("/disk0/volume1/note.txt", "/disk0/volume1/Users/me/note.txt:Zone.Identifier")
    point.ok("restore", "latest", *chosen, "--target", target)
    files = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    assert files == ["disk0/volume1/Users/me/note.txt:Zone.Identifier", "disk0/volume1/note.txt"]
    assert (target / files[1]).read_bytes() == b"small"


def test_zip_takes_the_same_selection(point: CommandLine) -> None:
    archive = point.home / "files.zip"
    point.ok("zip", "latest", "/disk0/volume1/Users", "/disk0/volume2/etc/passwd", "-o", archive)
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.read("disk0/volume1/Users/me/large") == CONTENT
        assert opened.read("disk0/volume1/Users/me/note.txt:Zone.Identifier") == b"zone"
        assert opened.read("disk0/volume2/etc/passwd") == b"root"
        assert "disk0/volume1/Note.txt" not in opened.namelist()


def test_restoring_everything_restores_what_is_stored(point: CommandLine) -> None:
    target = point.home / "back"
    point.ok("restore", "latest", "--target", target)
    assert sorted(os.listdir(target)) == ["disks", "machine.json"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/disk0/volume9", "has no /disk0/volume9"),
        ("/disk0/volume9/Users/me", " /disk0 lists what is there"),
        ("/disk1", "has no /disk1"),
        ("/disk0/volume1/users", "told apart"),
        ("/disk0/volume1/Note.txt/below", "has no"),
    ],
)
def test_path_that_is_not_there_is_refused(point: CommandLine, path: str, words: str) -> None:
    for command in (("ls", "latest", path), ("restore", "latest", path, "--target", "/nowhere")):
        answer = point.run(*command)
        assert answer.code == 1
        assert words in answer.err


def test_volume_without_a_known_file_system_says_so(point: CommandLine) -> None:
    answer = point.run("ls", "latest", "/disk0/volume3")
    assert answer.code == 1
    assert "no files to be seen" in answer.err
    assert point.run("ls", "-R", "latest").code == 0


def test_restore_points_of_files_have_no_disks(used: CommandLine) -> None:
    assert not any("disk0" in path for path in names(used))
    assert used.run("ls", "latest", "/disk0").code == 1


def test_file_on_a_bad_sector_is_left_out_and_said(
    point: CommandLine, disk: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = disk[0].read_bytes().index(CONTENT[MIB : MIB + 100]) - MIB
    part = b"/disks/0/volumes/1/image/0000/part"
    omissions = encode_omissions([Omission(part, "bad", "read", (Extent(start, 4096),))])
    monkeypatch.setattr(PointBrowser, "omissions", lambda _: inside_omissions(omissions))
    target = point.home / "back"
    answer = point.run("restore", "latest", "/disk0/volume1", "--target", target)
    assert answer.code == 3
    assert "could not be read" in answer.err
    volume = target / "disk0" / "volume1"
    assert not (volume / "Users" / "me" / "large").exists()
    assert (volume / "Users" / "me" / "note.txt").read_bytes() == b"note"
    archive = point.home / "files.zip"
    assert point.run("zip", "latest", "/disk0/volume1/Users", "-o", archive).code == 1
    assert not archive.exists()


def inside_omissions(data: bytes) -> tuple[Omission, ...]:
    from backup_agent.format.omissions import decode_omissions

    return decode_omissions(data)


def test_file_left_out_of_the_backup_is_never_restored_as_zeros(point: CommandLine) -> None:
    target = point.home / "back"
    answer = point.run("restore", "latest", "/disk0/volume1", "--target", target)
    assert (answer.code, "left out of the backup" in answer.err) == (3, True)
    volume = target / "disk0" / "volume1"
    assert sorted(path.name for path in volume.iterdir()) == ["Note.txt", "Users", "note.txt"]
    archive = point.home / "files.zip"
    assert point.run("zip", "latest", "/disk0/volume1", "-o", archive).code == 3
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("disk0/volume1/Users/me/large") == CONTENT
        assert "disk0/volume1/PageFile.sys" not in opened.namelist()


def test_damaged_repository_costs_the_files_it_hits_and_ends_with_1(point: CommandLine) -> None:
    packs = sorted((point.repository / "data").rglob("*"), key=lambda p: p.stat().st_size)
    large = packs[-1]
    large.chmod(0o600)
    data = bytearray(large.read_bytes())
    data[len(data) // 2] ^= 0xFF
    large.write_bytes(data)
    target = point.home / "back"
    chosen = ("/disk0/volume1/Users", "/disk0/volume2/etc")
    answer = point.run("restore", "latest", *chosen, "--target", target)
    assert answer.code == 1
    assert "damaged" in answer.err
    for path, content in (
        ("volume1/Users/me/large", CONTENT),
        ("volume2/etc/large", CONTENT[::-1]),
    ):
        restored = target / "disk0" / path
        assert not restored.exists() or restored.read_bytes() == content


def test_diff_tells_which_files_inside_a_volume_changed(
    point: CommandLine, disk: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "ext").write_bytes(disk[0].read_bytes()[17 * MIB : 25 * MIB])
    (tmp_path / "new").write_bytes(b"new")
    for command in ("rm etc/passwd", f"write {tmp_path}/new new", "sif etc/large mtime 5"):
        run_tool("debugfs", "-w", "-R", command, tmp_path / "ext")
    image = tmp_path / "disk.img"
    image.write_bytes(disk[0].read_bytes())
    place(image, 17 * MIB, (tmp_path / "ext").read_bytes())
    point.ok("backup", "--disk", image)
    old, new = (record["id"] for record in point.ok("points", "--json").of_type("point")[-2:])
    changes = {
        record["path"]: record["modifier"]
        for record in point.ok("diff", old, new, "--json").of_type("change")
    }
    inside_volumes = {p: m for p, m in changes.items() if p.startswith("/disk0/") and m != "U"}
    assert inside_volumes == {
        "/disk0/volume2/etc/passwd": "-",
        "/disk0/volume2/etc/large": "M",
        "/disk0/volume2/new": "+",
    }
    assert "/disks/0/volumes/2/image/0000/part" in changes


@pytest.fixture
def sealed(used: CommandLine) -> CommandLine:
    """A disk with a volume that nobody can look into, a blank one and swap."""
    layout = "label: gpt\nstart=1MiB, size=2MiB\nstart=3MiB, size=2MiB\nstart=5MiB, size=2MiB\n"
    image = make_disk(used.home / "sealed.img", 8 * MIB, layout)
    place(image, MIB, CONTENT[: 2 * MIB])
    swap = make_empty(used.home / "swap", 2 * MIB, "mkswap")
    place(image, 5 * MIB, swap.read_bytes())
    used.ok("backup", "--disk", image)
    return used


def test_volume_with_data_that_cannot_be_looked_into_is_told_when_files_are_restored(
    sealed: CommandLine,
) -> None:
    answer = sealed.run("restore", "latest", "/disk0", "--target", sealed.home / "back")
    assert answer.code == 3
    (told,) = [line for line in answer.err.splitlines() if "no files to be seen" in line]
    assert "/disk0/volume1" in told
    assert "everboot restore-disk" in told


def test_volume_with_data_that_cannot_be_looked_into_is_told_by_a_zip(
    sealed: CommandLine,
) -> None:
    answer = sealed.run("zip", "latest", "/disk0", "-o", sealed.home / "files.zip")
    assert answer.code == 3
    assert answer.err.count("no files to be seen") == 1
    assert "/disk0/volume1" in answer.err


def test_listing_everything_shows_volumes_without_files_and_is_no_failure(
    sealed: CommandLine,
) -> None:
    everything = names(sealed, "-R")
    assert {f"/disk0/volume{number}" for number in (1, 2, 3)} <= set(everything)
