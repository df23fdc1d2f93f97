"""The way through the rescue window, with keys, from the first page to a restored disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backup_agent.repository.repository import create_repository
from backup_agent.storage.local import LocalBackend
from iso_builder.qemu import NEIGHBOUR
from tests.command_line import PASSWORD, CommandLine
from tests.machines.person import Person
from tests.points import WEAK
from tests.servers.rclone import rclone
from tests.servers.running import RunningServer

# How often Tab leads from "Cloud Storage" to the REST server, the last one on its page.
_TABS_TO_REST = 5


@dataclass(frozen=True, slots=True)
class Backup:
    """A disk's backup on a REST server of this computer's loopback."""

    server: RunningServer

    @property
    def port(self) -> int:
        port = urlsplit(self.server.origin).port
        assert port is not None
        return port

    @property
    def address(self) -> str:
        """As the machine reaches it."""
        return f"http://{NEIGHBOUR}:{self.port}/everboot/"

    @property
    def credentials(self) -> tuple[str, str]:
        environment = self.server.environment
        return environment["EVERBOOT_REST_USERNAME"], environment["EVERBOOT_REST_PASSWORD"]


@contextmanager
def backed_up(image: Path, folder: Path) -> Iterator[Backup]:
    """Backs the disk up, and serves the repository for the length of the block."""
    home = folder / "home"
    home.mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(rclone(folder))["rclone-rest"]
        repository = folder / "rest" / "files" / "everboot"
        create_repository(LocalBackend(repository), PASSWORD, parameters=WEAK)
        shell = CommandLine(home, {**server.environment, "EVERBOOT_REPOSITORY": str(repository)})
        shell.ok("backup", "--disk", image)
        yield Backup(server)


def go_to_the_points(person: Person, backup: Backup) -> None:
    """By "Manage the device locally", "Restore", "Select data…", "Browse", and the REST server."""
    person.until("Start")
    person.press("ret")
    person.until("Manage")
    person.press("ret")
    person.until("Begin")
    person.press("ret")
    person.until("Select")
    person.press("ret")
    person.until("Browse")
    person.press(*["tab"] * _TABS_TO_REST, "ret")
    person.until("Address")
    person.write(backup.address)
    for credential in backup.credentials:
        person.press("tab")
        person.write(credential)
    person.press("ret")
    person.until("Password")


def give_password(person: Person, password: str = PASSWORD) -> None:
    person.write(password)
    person.press("ret")


def choose_everything(person: Person) -> None:
    """The first restore point with its whole disk, to the disk that is proposed."""
    person.until("Select")
    person.press("down", "ret")
    person.until_ready("Select")
    person.press("alt-o")
    person.until("Mapping")
    person.press("alt-p")
    person.until_ready("Mapping")


def restore_it(person: Person) -> None:
    """Past the plan, to the work."""
    person.press("alt-o")
    person.until("Confirm")
    person.press("alt-o")
