"""Where passwords and credentials of storage locations are kept: never in the plans.

The system's keyring where there is one that works; else a sealed file that nobody but its owner
may read, with the key in another folder: one of the two alone, in a copy of somebody's settings,
say, opens nothing.
"""

from __future__ import annotations

import os
import secrets as random_bytes
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from backup_agent.agent.desk import Secrets
from backup_agent.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from backup_agent.crypto.cipher import Sealer

_SERVICE = "everboot agent"
_KEY_SIZE = 64


class SecretStore(Protocol):
    """Kept under the key of a storage location."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def get(self, key: str) -> Secrets | None: ...

    def put(self, key: str, secrets: Secrets) -> None:
        """Raises ``UsageError`` where it cannot be kept."""
        ...

    def remove(self, key: str) -> None:
        """Does nothing for one that is not there."""
        ...


class KeyringSecrets:
    """The keyring of whoever runs the agent."""

    name = "the system's keyring"

    def get(self, key: str) -> Secrets | None:
        import keyring
        import keyring.errors

        try:
            kept = keyring.get_password(_SERVICE, key)
        except keyring.errors.KeyringError as exc:
            raise UsageError("The keyring is locked.", hint="Unlock it, and try again.") from exc
        return msgspec.json.decode(kept, type=Secrets) if kept else None

    def put(self, key: str, secrets: Secrets) -> None:
        import keyring
        import keyring.errors

        try:
            keyring.set_password(_SERVICE, key, msgspec.json.encode(secrets).decode())
        except keyring.errors.KeyringError as exc:
            raise UsageError(
                "The keyring took no password.", hint="Unlock it, and try again."
            ) from exc

    def remove(self, key: str) -> None:
        import keyring
        import keyring.errors

        try:
            keyring.delete_password(_SERVICE, key)
        except keyring.errors.PasswordDeleteError:
            return


class SealedSecrets:
    """Two files of the agent's own: the sealed secrets, and the key elsewhere."""

    name = "a sealed file"

    def __init__(self, file: Path, *, key_file: Path) -> None:
        self._file = file
        self._key_file = key_file

    @property
    def is_there(self) -> bool:
        return self._file.exists()

    def get(self, key: str) -> Secrets | None:
        return self._all().get(key)

    def put(self, key: str, secrets: Secrets) -> None:
        self._keep({**self._all(), key: secrets})

    def remove(self, key: str) -> None:
        kept = dict(self._all())
        if kept.pop(key, None) is not None:
            self._keep(kept)

    def _all(self) -> Mapping[str, Secrets]:
        """Raises ``UsageError`` where the file was altered or its key is lost."""
        try:
            sealed = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            plain = self._sealer().open(sealed)
            return msgspec.json.decode(plain, type=dict[str, Secrets])
        except (IntegrityError, OSError, msgspec.DecodeError) as exc:
            raise UsageError(
                f"The passwords in {self._file} cannot be read.",
                hint="Remove the file, and type the passwords of the plans again.",
            ) from exc

    def _keep(self, all_secrets: Mapping[str, Secrets]) -> None:
        if not self._key_file.exists():
            _write_private(self._key_file, os.urandom(_KEY_SIZE))
        _write_private(self._file, self._sealer().seal(msgspec.json.encode(all_secrets)))

    def _sealer(self) -> Sealer:
        from backup_agent.crypto.cipher import MasterKey, Sealer

        return Sealer(MasterKey.from_bytes(self._key_file.read_bytes()))


class ChosenSecrets:
    """Whichever of the two this computer has, found out when the first secret is wanted."""

    def __init__(self, sealed: SealedSecrets, *, wanted: str) -> None:
        """``wanted``: ``keyring``, ``file``, or empty for the keyring if there is one."""
        self._sealed = sealed
        self._wanted = wanted

    @property
    def name(self) -> str:
        return self._store.name

    def get(self, key: str) -> Secrets | None:
        return self._store.get(key)

    def put(self, key: str, secrets: Secrets) -> None:
        try:
            self._store.put(key, secrets)
        except UsageError:
            if self._wanted == "keyring" or self._store is self._sealed:
                raise
            # A keyring that takes nothing is none.
            self._sealed.put(key, secrets)

    def remove(self, key: str) -> None:
        self._store.remove(key)

    @property
    def _store(self) -> SecretStore:
        """Once there is a sealed file, it stays the place: a keyring that comes and goes with
        somebody's session must not make secrets come and go.
        """
        if self._wanted != "keyring" and (self._sealed.is_there or self._wanted == "file"):
            return self._sealed
        if self._wanted == "keyring" or _has_keyring():
            return KeyringSecrets()
        return self._sealed


def secret_store(environment: Mapping[str, str], *, folder: Path, key_folder: Path) -> SecretStore:
    """Sealed in ``folder`` where no keyring keeps them; ``EVERBOOT_SECRETS`` (``keyring`` or
    ``file``) decides otherwise.
    """
    sealed = SealedSecrets(folder / "secrets.sealed", key_file=key_folder / "secrets.key")
    return ChosenSecrets(sealed, wanted=environment.get("EVERBOOT_SECRETS", ""))


def _has_keyring() -> bool:
    """Without asking it for anything, which may ask a person for a password."""
    import keyring

    try:
        return float(keyring.get_keyring().priority) > 0
    except RuntimeError:
        return False


def _write_private(file: Path, content: bytes) -> None:
    """Complete or not at all, and readable by nobody else at any moment."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{random_bytes.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
