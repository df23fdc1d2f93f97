"""What the commands share: where the repository is, its password, where the news goes."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.cli.options import CommonOptions
from backup_agent.cli.render import JsonRender, Render, TextRender
from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken

if TYPE_CHECKING:
    from backup_agent.services.repositories import Access, BlobReader, Repository

_KEYRING_SERVICE = "everboot"


class Session:
    """One run of one command."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        cancel: CancelToken,
        options: CommonOptions | None = None,
    ) -> None:
        self.environment = environment
        self.cancel = cancel
        self.options = options or CommonOptions()
        self.render: Render = self._make_render(data_on_stdout=False)

    def close(self) -> None:
        self.render.close()

    def data_goes_to_stdout(self) -> None:
        """Standard output carries data now: what is meant for people goes to standard error."""
        self.render = self._make_render(data_on_stdout=True)

    @contextmanager
    def opened(self, *, dry_run: bool = False, cached: bool = True) -> Iterator[Repository]:
        """The repository that options or environment name.

        ``cached``: false for those who judge what is there, not the copies kept here.
        """
        from backup_agent.services.repositories import opened

        with opened(
            self.access(),
            dry_run=dry_run,
            cached=cached,
            emit=self.render.emit,
            cancel=self.cancel,
        ) as repository:
            yield repository

    @contextmanager
    def reading(self) -> Iterator[tuple[Repository, BlobReader]]:
        """The repository and a reader of it, for commands that only look."""
        from backup_agent.services.repositories import reading

        with self.opened() as repository, reading(repository, emit=self.render.emit) as reader:
            yield repository, reader

    def address(self) -> str:
        """The repository's, with the credentials inside it. Raises ``UsageError`` without one."""
        address = (
            self.options.repository
            or self.environment.get("EVERBOOT_REPOSITORY")
            or self.environment.get("RESTIC_REPOSITORY")
            or self._own_vault()
        )
        if not address:
            raise UsageError(
                "No repository was named.",
                hint="Give --repo ADDRESS, set EVERBOOT_REPOSITORY, or link this device to a "
                "console: everboot link.",
            )
        return address

    def access(self, *, new: bool = False) -> Access:
        """Raises ``UsageError`` where no repository is named. ``new``: its password is chosen."""
        return self.access_to("", new=new)

    def access_to(self, address: str, *, new: bool = False) -> Access:
        """As ``access``, but of the repository with that address; empty: the one named."""
        from backup_agent.services.repositories import (
            Access,
            StorageOptions,
            embedded_credentials,
            masked,
        )

        address = address or self.address()
        if embedded_credentials(address):
            self.render.warn(
                f"{masked(address)}: credentials inside an address end up in logs and lists of "
                "processes; the environment is the better place."
            )
        return Access(
            address=address,
            password=lambda: self.password(masked(address), new=new),
            environment=self.environment,
            options=StorageOptions(
                cacert=self.cacert(),
                limit_upload=self.options.limit_upload,
                limit_download=self.options.limit_download,
                read_back=self.options.read_back,
            ),
            cache=None if self.options.no_cache else self._cache(),
        )

    def password(self, location: str, *, new: bool = False) -> str:
        """By file, environment, the system's keyring, the console if it keeps one for a vault, or
        a prompt on a terminal, in this order.

        Raises ``UsageError`` where none of them gives one.
        """
        file = self.options.password_file or self._path("EVERBOOT_PASSWORD_FILE")
        file = file or self._path("RESTIC_PASSWORD_FILE")
        if file is not None:
            return read_password_file(file)
        for name in ("EVERBOOT_PASSWORD", "RESTIC_PASSWORD"):
            if value := self.environment.get(name):
                return value
        if kept := _from_keyring(location) or self._managed(location, new=new):
            return kept
        if not sys.stdin.isatty():
            raise UsageError(
                f"The password of {location} is needed.",
                hint="Give --password-file FILE, or set EVERBOOT_PASSWORD.",
            )
        return _ask_new(location) if new else getpass.getpass(f"Password of {location}: ")

    def new_password(self, location: str, *, file: Path | None, variable: str) -> str:
        """One that is to be added: by file, environment or a prompt. Raises ``UsageError``."""
        if file is not None:
            return read_password_file(file)
        if value := self.environment.get(variable):
            return value
        if not sys.stdin.isatty():
            raise UsageError(
                f"A new password for {location} is needed.",
                hint=f"Give --new-password-file FILE, or set {variable}.",
            )
        return _ask_new(location)

    def _own_vault(self) -> str:
        """The address of a linked device's own vault; empty on others."""
        from backup_agent.services.link.identity import OWN_VAULT, identity_file

        return OWN_VAULT if identity_file(self.environment).exists() else ""

    def _managed(self, location: str, *, new: bool) -> str | None:
        """What the console keeps for a vault that this device may read."""
        from backup_agent.services.repositories import is_vault

        if new or not is_vault(location):
            return None
        from backup_agent.services.link.vaults import managed_password

        return managed_password(location, self.environment, self.cacert())

    def _make_render(self, *, data_on_stdout: bool) -> Render:
        stream = sys.stderr if data_on_stdout else sys.stdout
        if self.options.json:
            return JsonRender(stream)
        return TextRender(stream, quiet=self.options.quiet)

    def cacert(self) -> Path | None:
        """The authorities to trust, if the command line or the environment names some."""
        return self.options.cacert or self._path("EVERBOOT_CACERT") or self._path("RESTIC_CACERT")

    def _cache(self) -> Path:
        if self.options.cache:
            return self.options.cache
        base = self._path("EVERBOOT_CACHE_DIR")
        if base:
            return base
        return (self._path("XDG_CACHE_HOME") or Path.home() / ".cache") / "everboot"

    def _path(self, name: str) -> Path | None:
        value = self.environment.get(name)
        return Path(value) if value else None


def read_password_file(file: Path) -> str:
    """Its text without white space around it, as restic reads it. Raises ``UsageError``."""
    try:
        password = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"The password file {file} cannot be read: {exc}.") from exc
    if not password:
        raise UsageError(f"The password file {file} is empty.")
    return password


def _ask_new(location: str) -> str:
    first = getpass.getpass(f"New password for {location}: ")
    if getpass.getpass("Once more: ") != first:
        raise UsageError("The two passwords differ.", hint="Try again.")
    return first


def _from_keyring(location: str) -> str | None:
    """What ``keyring set everboot ADDRESS`` stored; a computer without a keyring has none."""
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(_KEYRING_SERVICE, location)
    except (keyring.errors.KeyringError, OSError):
        return None
