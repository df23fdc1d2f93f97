"""Ordinary users mount with fusermount3, and see to it who may look."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.helpers.mounts import Mount, mounted

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/fuse"),
        reason="needs FUSE, and root to become somebody else",
    ),
]

# Wherever this checkout and its Python lie, that user may read them; and nothing more than that.
AS_NOBODY = (
    "setpriv",
    "--reuid=nobody",
    "--regid=nogroup",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
)
IN_OWN_NAMESPACE = ("unshare", "--mount", "sh", "-ec")


@dataclass(frozen=True, slots=True)
class Users:
    """``nobody``'s shell on a computer of their own, as far as mounts go, and a folder there."""

    shell: CommandLine
    folder: Path

    def look(self, mount: Mount, *user: str) -> subprocess.CompletedProcess[str]:
        """List what is mounted, as root or by way of the command that makes one another user."""
        inside = ("nsenter", f"--mount=/proc/{mount.process.pid}/ns/mnt", *user)
        return subprocess.run(
            [*inside, "ls", self.folder], capture_output=True, text=True, check=False
        )


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that everybody can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="everboot-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def users(used: CommandLine, scratch: Path) -> Users:
    """FUSE's device is there for everybody, whatever this computer's rules; its settings, too."""
    os.mknod(scratch / "fuse", stat.S_IFCHR | 0o666, Path("/dev/fuse").stat().st_rdev)
    (scratch / "fuse").chmod(0o666)
    (scratch / "fuse.conf").touch()
    for name in ("home", "mount"):
        (scratch / name).mkdir()
        shutil.chown(scratch / name, "nobody", "nogroup")
    computer = (
        f"mount --bind {scratch}/fuse /dev/fuse;"
        f' mount --bind {scratch}/fuse.conf /etc/fuse.conf; exec "$@"'
    )
    shell = replace(used, through=(*IN_OWN_NAMESPACE, computer, "sh", *AS_NOBODY))
    home = {"HOME": str(scratch / "home"), "XDG_CACHE_HOME": str(scratch / "home")}
    return Users(shell.having(**home), scratch / "mount")


def test_user_mounts_and_nobody_else_may_look(users: Users) -> None:
    with mounted(users.shell, "latest", users.folder) as mount:
        assert users.look(mount, *AS_NOBODY).stdout
        refused = users.look(mount)
        assert (refused.stdout, "Permission denied" in refused.stderr) == ("", True)
    assert (mount.code, mount.err) == (0, "")


def test_user_may_show_others_where_the_settings_allow_it(users: Users, scratch: Path) -> None:
    refused = users.shell.spawn("mount", "latest", users.folder, "--allow-other")
    assert refused.code == 1
    assert "user_allow_other in /etc/fuse.conf" in refused.err

    (scratch / "fuse.conf").write_text("# for all\n user_allow_other \n")
    with mounted(users.shell, "latest", users.folder, "--allow-other") as mount:
        assert users.look(mount).stdout == users.look(mount, *AS_NOBODY).stdout != ""
    assert (mount.code, mount.err) == (0, "")


def test_user_cannot_mount_on_the_folder_of_somebody_else(users: Users) -> None:
    shutil.chown(users.folder, "root", "root")
    refused = users.shell.spawn("mount", "latest", users.folder)
    assert refused.code == 1
    assert "belongs to somebody else" in refused.err
