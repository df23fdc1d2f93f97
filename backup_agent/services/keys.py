"""The passwords of a repository: listing, adding, taking away, changing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backup_agent.crypto.password import STRONG, ScryptParameters
from backup_agent.errors import IntegrityError, UsageError
from backup_agent.format.keyfile import decode_key_file, open_key_file
from backup_agent.model.ids import SHORT_ID_LENGTH
from backup_agent.repository.keys import add_key, list_keys, remove_key
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import Repository, load_named
from backup_agent.storage.backend import FileKind, ObjectKey


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One password, without anything secret. ``in_use``: it opened the repository this time."""

    name: str
    username: str
    hostname: str
    created: datetime
    in_use: bool

    @property
    def short_id(self) -> str:
        return self.name[:SHORT_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key, and the paths of key files that are damaged."""

    keys: tuple[KeyInfo, ...]
    damaged: tuple[str, ...]


def list_passwords(repository: Repository) -> KeyList:
    damaged: list[str] = []
    keys = tuple(
        KeyInfo(
            key.name,
            key.file.username,
            key.file.hostname,
            key.file.created,
            in_use=key.name == repository.key_name,
        )
        for key in list_keys(repository.backend, on_damage=damaged.append)
    )
    return KeyList(keys, tuple(damaged))


def add_password(
    repository: Repository,
    password: str,
    *,
    username: str = "",
    hostname: str = "",
    parameters: ScryptParameters = STRONG,
) -> str:
    """Let another password open the repository too; returns the new key's name.

    Raises ``UsageError`` for an empty one.
    """
    with RepositoryLock(repository):
        return _add(repository, password, username, hostname, parameters)


def remove_password(repository: Repository, wanted: str) -> str:
    """Take away the key whose name starts so; returns its name.

    Raises ``UsageError`` for the one in use, and for none or several that start so.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        name = _complete(repository, wanted)
        lock.ensure_held()
        remove_key(repository.backend, name, in_use=repository.key_name)
        return name


def change_password(
    repository: Repository, password: str, *, parameters: ScryptParameters = STRONG
) -> str:
    """Put a new password in the place of the one in use; returns the new key's name.

    The old one goes only after the new one was read back and opens.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        old = repository.key_name
        name = _add(repository, password, "", "", parameters)
        lock.ensure_held()
        repository.key_name = name
        remove_key(repository.backend, old, in_use=name)
        return name


def _add(
    repository: Repository,
    password: str,
    username: str,
    hostname: str,
    parameters: ScryptParameters,
) -> str:
    name = add_key(
        repository.backend,
        repository.master,
        password,
        parameters=parameters,
        username=username,
        hostname=hostname,
    )
    stored = decode_key_file(load_named(repository.backend, ObjectKey(FileKind.KEY, name)))
    if open_key_file(stored, password) != repository.master:
        raise IntegrityError("The new key does not open the repository; the old ones still do.")
    return name


def _complete(repository: Repository, wanted: str) -> str:
    names = [i.name for i in repository.backend.list(FileKind.KEY) if i.name.startswith(wanted)]
    if len(names) == 1 and wanted:
        return names[0]
    several = "Several keys start" if names and wanted else "No key starts"
    raise UsageError(f"{several} with {wanted!r}.", hint="everboot key list shows them.")
