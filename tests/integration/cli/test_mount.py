"""Restore points as folders, by real mounts: the same as the truth, read-only, ended cleanly."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec import structs

from backup_agent.host.linux import fuse_mount
from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk, place
from tests.helpers.foreign_volumes import make_empty, mounted_ntfs, survey
from tests.helpers.mounts import Mount, mounted
from tests.helpers.volumes import put_ntfs, read_ntfs
from tests.integration.cli.hostile import Forger

CONTENT = random.Random(1).randbytes(2 * MIB + 3)
LAYOUT = "label: gpt\nstart=1MiB, size=16MiB\nstart=17MiB, size=8MiB\nstart=25MiB, size=2MiB\n"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with an NTFS volume, an ext4 one and one of noise."""
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
        (folder / ("\U0001f9ff" * 127)).write_bytes(b"long")
    folder = scratch / "folder"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "large").write_bytes(CONTENT[::-1])
    (folder / "etc" / "link").symlink_to("/etc/shadow")
    os.setxattr(folder / "etc", "user.note", b"kept")
    for number in range(300):
        (folder / "etc" / f"{number:04d}").write_bytes(b"%d" % number)
    ext = make_empty(scratch / "ext", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    place(image, MIB, ntfs.read_bytes())
    place(image, 17 * MIB, ext.read_bytes())
    place(image, 25 * MIB, random.Random(2).randbytes(2 * MIB))
    return image


@pytest.fixture
def point(used: CommandLine, disk: Path) -> CommandLine:
    used.ok("backup", "--disk", disk, "--include-all")
    return used


def documents(mount: Mount) -> Path:
    """Where they were when the repository was made that every test copies."""
    return next(mount.folder.rglob("documents"))


def volume_of(disk: Path, start: int, size: int, target: Path) -> Path:
    with open(disk, "rb") as file:
        file.seek(start)
        target.write_bytes(file.read(size))
    return target


def statuses(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that ``lstat`` and the attributes say, but for numbers that are each system's own."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        attributes = {
            name: os.getxattr(path, name, follow_symlinks=False)
            for name in os.listxattr(path, follow_symlinks=False)
        }
        found[str(path.relative_to(folder))] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            0 if path.is_dir() and not path.is_symlink() else status.st_nlink,
            0 if path.is_dir() and not path.is_symlink() else status.st_size,
            status.st_mtime_ns,
            attributes,
        )
    return found


def damage_large_packs(shell: CommandLine) -> None:
    """Something in every MiB; packs of trees and descriptions are smaller."""
    for pack in (shell.repository / "data").rglob("*"):
        if pack.stat().st_size > MIB:
            pack.chmod(0o600)
            data = bytearray(pack.read_bytes())
            for position in range(MIB // 2, len(data), MIB):
                data[position] ^= 0xFF
            pack.write_bytes(data)


def test_files_look_and_read_as_they_were(used: CommandLine, tmp_path: Path) -> None:
    source = used.home / "things"
    (source / "folder" / "empty").mkdir(parents=True)
    (source / "large").write_bytes(CONTENT * 4)
    (source / "letter").write_bytes(b"letter")
    os.link(source / "letter", source / "folder" / "same letter")
    (source / "letter").chmod(0o6751)
    os.setxattr(source / "letter", "user.note", b"\0value")
    os.utime(source / "letter", ns=(10**18 + 1, -(10**9) + 5))
    os.mkfifo(source / "pipe")
    (source / "link").symlink_to("letter")
    (source / "nowhere").symlink_to(b"/no\xff")
    Path(os.fsdecode(bytes(source) + b"/not utf-8 \xff")).touch()
    (source / "empty").touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(source / "empty", 12345, 23456)
    truth, looks = survey(source), statuses(source)
    used.ok("backup", source)
    with mounted(used, "latest", tmp_path / "mount") as mount:
        shown = mount.folder / source.relative_to("/")
        assert statuses(shown) == looks
        assert survey(shown) == truth
        same = os.lstat(shown / "folder" / "same letter").st_ino
        assert same == os.lstat(shown / "letter").st_ino
        assert same != os.lstat(shown / "empty").st_ino
        with os.scandir(shown) as entries:
            assert {entry.inode() for entry in entries if entry.name == "letter"} == {same}
        with pytest.raises(OSError, match="No data") as error:
            os.getxattr(shown / "letter", "user.other")
        assert error.value.errno == errno.ENODATA
    assert (mount.code, mount.err) == (0, "")


def test_nothing_can_be_written_and_no_setuid_program_gets_rights(
    used: CommandLine, tmp_path: Path
) -> None:
    with mounted(used, "latest", tmp_path / "mount") as mount:
        shown = documents(mount)
        tries: list[Callable[[], object]] = [
            lambda: (shown / "new.txt").write_bytes(b""),
            lambda: (shown / "newer.txt").write_bytes(b""),
            (shown / "new.txt").unlink,
            (shown / "folder").mkdir,
            lambda: (shown / "new.txt").chmod(0o777),
            lambda: (shown / "new.txt").rename(shown / "old.txt"),
            lambda: os.setxattr(shown / "new.txt", "user.x", b""),
            lambda: os.utime(shown / "new.txt"),
        ]
        for attempt in tries:
            with pytest.raises(OSError, match="Read-only") as error:
                attempt()
            assert error.value.errno == errno.EROFS
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        (line,) = (line for line in lines if f" {mount.folder} " in line)
        assert {"ro", "nosuid", "nodev"} <= set(line.split(" ")[5].split(","))
        assert (shown / "new.txt").read_text() == "new"


def test_volumes_are_folders_that_hold_what_their_own_drivers_show(
    point: CommandLine, disk: Path, tmp_path: Path
) -> None:
    ntfs = volume_of(disk, MIB, 16 * MIB, tmp_path / "ntfs")
    with mounted_ntfs(ntfs, tmp_path / "driver") as folder:
        truth = survey(folder)
    with mounted(point, "latest", tmp_path / "mount") as mount:
        assert sorted(os.listdir(mount.folder / "disk0")) == [
            "volume1",
            "volume1.img",
            "volume2",
            "volume2.img",
            "volume3.img",
        ]
        assert sorted(os.listdir(mount.folder)) == ["disk0", "disks", "machine.json"]
        shown = survey(mount.folder / "disk0" / "volume1")
        stream = shown.pop(b"/Users/me/note.txt:Zone.Identifier")
        assert stream.content == hashlib.sha256(b"zone").hexdigest()
        linked = shown.pop(b"/Users/same.txt:Zone.Identifier")
        assert linked.content == stream.content
        assert shown == truth
        users = mount.folder / "disk0" / "volume1" / "Users"
        assert (users / "same.txt").samefile(users / "me" / "note.txt")
        assert (users / "same.txt").stat().st_nlink == 2
        ext = survey(mount.folder / "disk0" / "volume2")
        del ext[b"/lost+found"]
        assert ext == survey(disk.parent / "folder")
        attribute = os.getxattr(mount.folder / "disk0" / "volume2" / "etc", "user.note")
        assert attribute == b"kept"
    assert (mount.code, mount.told()) == (0, "[]")


def test_raw_image_is_what_the_disk_held_and_other_programs_read_it(
    point: CommandLine, disk: Path, tmp_path: Path
) -> None:
    restored = tmp_path / "restored.img"
    point.ok("restore-disk", "latest", "--map", f"disk0={restored}", "--yes")
    places = {1: (MIB, 16 * MIB), 2: (17 * MIB, 8 * MIB), 3: (25 * MIB, 2 * MIB)}
    with mounted(point, "latest", tmp_path / "mount") as mount:
        for number, (start, size) in places.items():
            image = mount.folder / "disk0" / f"volume{number}.img"
            truth = volume_of(restored, start, size, tmp_path / "volume").read_bytes()
            assert image.stat().st_size == size
            assert hashlib.sha256(image.read_bytes()).digest() == hashlib.sha256(truth).digest()
        ntfs = mount.folder / "disk0" / "volume1.img"
        assert read_ntfs(ntfs, "Users/me/large") == CONTENT
        checked = subprocess.run(
            ["e2fsck", "-fn", mount.folder / "disk0" / "volume2.img"],
            env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
            capture_output=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout


def test_stored_tree_is_shown_as_it_is(point: CommandLine, disk: Path, tmp_path: Path) -> None:
    with mounted(point, "latest", tmp_path / "mount") as mount:
        part = mount.folder / "disks" / "0" / "volumes" / "1" / "image" / "0000" / "part"
        truth = volume_of(disk, MIB, 16 * MIB, tmp_path / "volume").read_bytes()
        assert part.read_bytes() == (mount.folder / "disk0" / "volume1.img").read_bytes()
        assert len(part.read_bytes()) == len(truth)


def test_damage_is_an_error_told_in_words_and_the_rest_is_read(
    used: CommandLine, tmp_path: Path
) -> None:
    damage_large_packs(used)
    with mounted(used, "latest", tmp_path / "mount") as mount:
        shown = documents(mount)
        unread: dict[str, int | None] = {}
        for path in sorted(p for p in shown.rglob("*") if p.is_file()):
            try:
                content = path.read_bytes()
            except OSError as exc:
                unread[path.name] = exc.errno
            else:
                assert content == (used.home / "documents" / path.relative_to(shown)).read_bytes()
        assert set(unread.values()) == {errno.EIO}
        assert set(unread) == {"music.ogg", "photo.jpg"}
    assert mount.code == 1
    for name in unread:
        assert name in mount.told()
    assert "is damaged" in mount.told()


def test_damage_below_a_volume_is_an_error_for_its_files_and_never_zeros(
    point: CommandLine, disk: Path, tmp_path: Path
) -> None:
    damage_large_packs(point)
    truth = {"volume1/Users/me/large": CONTENT, "volume2/etc/large": CONTENT[::-1]}
    for number, (start, size) in {1: (MIB, 16 * MIB), 2: (17 * MIB, 8 * MIB)}.items():
        volume = volume_of(disk, start, size, tmp_path / "volume")
        truth[f"volume{number}.img"] = volume.read_bytes()
    failed: dict[str, int | None] = {}
    with mounted(point, "latest", tmp_path / "mount") as mount:
        for name, content in truth.items():
            try:
                assert (mount.folder / "disk0" / name).read_bytes() == content
            except OSError as exc:
                failed[name] = exc.errno
    assert failed == dict.fromkeys(truth, errno.EIO)
    assert mount.code == 1
    # A folder on the way to a file may be damaged, too.
    assert all(f"/disk0/{name.partition('/')[0]}" in mount.told() for name in failed)


def test_file_that_was_left_out_is_told_and_no_damage(used: CommandLine, tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "ntfs", 16 * MIB, "mkntfs", "-Q", "-F")
    (tmp_path / "swap").write_bytes(CONTENT)
    put_ntfs(volume, tmp_path / "swap", "pagefile.sys")
    used.ok("backup", "--disk", volume)
    with (
        mounted(used, "latest", tmp_path / "mount") as mount,
        pytest.raises(OSError, match="Input/output error"),
    ):
        (mount.folder / "disk0" / "volume0" / "pagefile.sys").read_bytes()
    assert "It was left out of the backup" in mount.told()
    assert mount.code == 0


def test_several_readers_at_once_all_read_right(point: CommandLine, tmp_path: Path) -> None:
    outcomes: list[bool] = []

    def read(name: str, truth: bytes) -> None:
        outcomes.append((mount.folder / "disk0" / name).read_bytes() == truth)

    with mounted(point, "latest", tmp_path / "mount") as mount:
        readers = [
            threading.Thread(target=read, args=arguments)
            for arguments in [
                ("volume1/Users/me/large", CONTENT),
                ("volume2/etc/large", CONTENT[::-1]),
                *((f"volume2/etc/{number:04d}", b"%d" % number) for number in range(30)),
            ]
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert outcomes == [True] * 32


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly_even_while_a_file_is_open(
    used: CommandLine, tmp_path: Path, number: int
) -> None:
    with mounted(used, "latest", tmp_path / "mount") as mount:
        shown = documents(mount)
        file = os.open(shown / "music.ogg", os.O_RDONLY)
        assert os.read(file, 10)
        mount.end(number)
        with suppress(OSError):
            os.close(file)
        assert (mount.code, mount.err) == (0, "")
        assert os.listdir(mount.folder) == []


def test_unmounting_it_by_hand_ends_it_cleanly(used: CommandLine, tmp_path: Path) -> None:
    with mounted(used, "latest", tmp_path / "mount") as mount:
        subprocess.run(["fusermount3", "-u", mount.folder], check=True)
        mount.wait()
    assert (mount.code, mount.err) == (0, "")
    assert not list((used.repository / "locks").iterdir())


def occupied(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").touch()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "There is no folder"),
        (Path.touch, "is no folder"),
        (occupied, "is not empty"),
    ],
)
def test_folder_that_cannot_be_mounted_on_is_refused(
    used: CommandLine, tmp_path: Path, prepare: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "mount"
    prepare(folder)
    answer = used.run("mount", "latest", folder)
    assert answer.code == 1
    assert words in answer.err


def test_second_mount_at_one_place_is_refused(used: CommandLine, tmp_path: Path) -> None:
    with mounted(used, "latest", tmp_path / "mount") as mount:
        answer = used.run("mount", "latest", mount.folder)
        assert answer.code == 1
        assert "mounted at" in answer.err
        assert "fusermount3 -u" in answer.err


def test_folder_that_a_killed_mount_left_behind_is_mounted_on_again(
    used: CommandLine, tmp_path: Path
) -> None:
    killed(used, tmp_path / "mount")
    with mounted(used, "latest", tmp_path / "mount") as mount:
        assert (documents(mount) / "music.ogg").read_bytes()
    assert mount.code == 0


def test_dead_mount_of_another_program_is_left_to_its_owner(
    used: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed(used, tmp_path / "mount")
    with monkeypatch.context() as patched:
        patched.setattr(fuse_mount, "_SUBTYPE", "another")
        answer = used.run("mount", "latest", folder)
    assert answer.code == 1
    assert "has ended without unmounting it" in answer.err
    assert f"fusermount3 -u {folder}" in answer.err
    subprocess.run(["fusermount3", "-u", folder], check=True)


def killed(shell: CommandLine, folder: Path) -> Path:
    """A folder on which a mount was when its program was killed."""
    with mounted(shell, "latest", folder) as mount:
        mount.end(signal.SIGKILL)
        with pytest.raises(OSError, match="not connected"):
            os.listdir(folder)
    return folder


def test_missing_library_is_told_with_what_to_install(used: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    shell = used.having(FUSE_LIBRARY_NAME="fuse-of-nowhere")
    answer = shell.spawn("mount", "latest", tmp_path / "mount")
    assert answer.code == 1
    assert "libfuse-of-nowhere is not on this computer" in answer.err
    assert "fuse3" in answer.err


def test_missing_device_is_told(
    used: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mount").mkdir()
    monkeypatch.setattr(fuse_mount, "_DEVICE", tmp_path / "no device")
    answer = used.run("mount", "latest", tmp_path / "mount")
    assert answer.code == 1
    assert "offers no FUSE" in answer.err


def test_point_that_is_not_there_is_refused(used: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    assert used.run("mount", "0123456789", tmp_path / "mount").code == 1
    assert not os.path.ismount(tmp_path / "mount")


def test_names_that_no_file_can_have_are_left_out_and_told(
    used: CommandLine, tmp_path: Path
) -> None:
    forger = Forger(used)
    names = [b"", b".", b"..", b"/etc/x", b"a/b", b"x\0y", b"l" * 1025, b"twice", b"twice"]
    short = forger.file(b"short", b"four", size=1 << 60)
    point = forger.commit([*map(forger.file, names), forger.file(b"good"), short])
    with mounted(used, point, tmp_path / "mount") as mount:
        assert sorted(os.listdir(mount.folder)) == ["good", "short", "twice"]
        assert (mount.folder / "good").read_bytes() == b"evil"
        with (
            open(mount.folder / "short", "rb") as file,
            pytest.raises(OSError, match="Input/output error"),
        ):
            file.read(4)
    assert mount.code == 1
    assert mount.told().count("not shown") == 8
    assert "its size says" in mount.told()


def test_folder_of_many_thousand_files_is_listed_and_found(
    used: CommandLine, tmp_path: Path
) -> None:
    forger = Forger(used)
    template = forger.file(b"", b"content")
    nodes = [structs.replace(template, name=b"%05d" % number) for number in range(20_000)]
    point = forger.commit([forger.folder(b"many", nodes)])
    with mounted(used, point, tmp_path / "mount") as mount:
        many = mount.folder / "many"
        assert len(os.listdir(many)) == 20_000
        sizes = {(many / f"{number:05d}").stat().st_size for number in range(0, 20_000, 50)}
        assert sizes == {7}
        assert not (many / "20000").exists()
