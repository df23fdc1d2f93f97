"""The passwords of a repository: one key file each, all sealing the same master key."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from backup_agent.crypto.cipher import MasterKey
from backup_agent.crypto.password import STRONG, ScryptParameters
from backup_agent.errors import IntegrityError, UsageError, WrongPasswordError
from backup_agent.format.keyfile import (
    KeyFile,
    decode_key_file,
    encode_key_file,
    make_key_file,
    open_key_file,
)
from backup_agent.storage.backend import Backend, FileKind, ObjectKey

OnDamage: TypeAlias = Callable[[str], None]

_SALT_SIZE = 64
_MOST_KEYS_TRIED = 100
"""Each costs half a second; restic stops at 20."""


@dataclass(frozen=True, slots=True)
class NamedKeyFile:
    """A key file and the name it is stored under."""

    name: str
    file: KeyFile


def add_key(
    backend: Backend,
    master: MasterKey,
    password: str,
    *,
    parameters: ScryptParameters = STRONG,
    username: str = "",
    hostname: str = "",
) -> str:
    """Let another password open the repository; returns the key's name."""
    if not password:
        raise UsageError("An empty password protects nothing.", hint="Choose a longer one.")
    file = make_key_file(
        master,
        password,
        salt=os.urandom(_SALT_SIZE),
        parameters=parameters,
        username=username or current_user(),
        hostname=hostname or socket.gethostname(),
        created=datetime.now(UTC),
    )
    if open_key_file(file, password) != master:
        raise IntegrityError("A new key does not open; nothing was saved.")
    data = encode_key_file(file)
    name = hashlib.sha256(data).hexdigest()
    backend.save(ObjectKey(FileKind.KEY, name), data)
    return name


def list_keys(backend: Backend, *, on_damage: OnDamage) -> Iterator[NamedKeyFile]:
    """Every key file that is whole; the path of each other one goes to ``on_damage``."""
    for info in sorted(backend.list(FileKind.KEY), key=lambda info: info.name):
        key = ObjectKey(FileKind.KEY, info.name)
        data = backend.load(key)
        if hashlib.sha256(data).hexdigest() != info.name:
            on_damage(key.path)
            continue
        try:
            file = decode_key_file(data)
        except IntegrityError:
            # It does not keep the other passwords from opening the repository.
            on_damage(key.path)
        else:
            yield NamedKeyFile(info.name, file)


def unlock_master(
    backend: Backend, password: str, *, fits: Callable[[MasterKey], bool] = lambda _master: True
) -> tuple[str, MasterKey]:
    """(name of the key, master key), preferring a master key that ``fits``: creating a
    repository that broke off and was begun anew leaves a key that opens nothing.

    Raises ``WrongPasswordError``, or ``IntegrityError`` where no key file is whole.
    """
    tried = 0
    stray: tuple[str, MasterKey] | None = None
    damaged: list[str] = []
    for key in list_keys(backend, on_damage=damaged.append):
        tried += 1
        master = open_key_file(key.file, password)
        if master is not None:
            stray = stray or (key.name, master)
            if fits(master):
                return key.name, master
        if tried == _MOST_KEYS_TRIED:
            break
    if stray is not None:
        return stray
    if tried == 0:
        lost = f" Damaged: {', '.join(damaged)}." if damaged else ""
        raise IntegrityError(
            f"No whole key file is left at {backend.location}: nothing can open it.{lost}",
            hint="Put a file of the keys folder back from a copy of the repository.",
        )
    also = f" Damaged and not tried: {', '.join(damaged)}." if damaged else ""
    raise WrongPasswordError(
        f"The password opens no key of {backend.location}.{also}",
        hint="Passwords are case-sensitive; check the keyboard layout.",
    )


def remove_key(backend: Backend, name: str, *, in_use: str) -> None:
    """Take a password away. Raises ``UsageError`` for the key this run was opened with."""
    if name == in_use:
        raise UsageError(
            "That key opened the repository in this run.",
            hint="Open it with another password to remove this one.",
        )
    backend.remove(ObjectKey(FileKind.KEY, name))


def current_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # No entry in the user database (containers) and no variable either.
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
