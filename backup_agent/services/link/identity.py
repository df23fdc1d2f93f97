"""Who this device is to its console: the console's address and the device's key, in one file.

``$EVERBOOT_DEVICE_FILE``, else ``everboot/device.json`` in the folder for settings. Nobody but
its owner may read it. Rescue media keep the same value in memory and never write it.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backup_agent.crypto.signature import SigningKey
from backup_agent.errors import LinkError, NotLinkedError

__all__ = [
    "OWN_VAULT",
    "Console",
    "DeviceIdentity",
    "SigningKey",
    "forget",
    "identity_file",
    "keep",
    "load",
]


OWN_VAULT = "vault:"
"""The repository of a linked device, unless another one is named."""


@dataclass(frozen=True, slots=True)
class Console:
    """``address`` is ``https://host[:port]``. ``certificate`` (PEM) was pinned by a person;
    ``cacert`` names a file of authorities. Without both, the usual authorities count.
    """

    address: str
    certificate: str = ""
    cacert: Path | None = None


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """``id``, ``name`` and ``organisation`` as the console told them when it linked us."""

    console: Console
    key: SigningKey
    id: str
    name: str
    organisation: str
    kind: str


class _File(msgspec.Struct, frozen=True):
    console: str
    key: str
    id: str
    name: str
    organisation: str
    kind: str
    certificate: str = ""
    cacert: str = ""


def identity_file(environment: Mapping[str, str]) -> Path:
    if file := environment.get("EVERBOOT_DEVICE_FILE"):
        return Path(file)
    home = environment.get("XDG_CONFIG_HOME")
    base = Path(home) if home else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "everboot" / "device.json"


def load(file: Path) -> DeviceIdentity:
    """Raises ``NotLinkedError`` where there is no file, ``LinkError`` for a damaged one."""
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_File)
        key = SigningKey(b64decode(kept.key, validate=True))
    except FileNotFoundError as exc:
        raise NotLinkedError(
            "This device is not linked to a console.", hint="Link it: everboot link CONSOLE_URL"
        ) from exc
    except (OSError, ValueError) as exc:
        raise LinkError(
            f"{file} cannot be read: who this device is cannot be told.",
            hint="Check its permissions, or link anew: everboot link --unlink, then link.",
        ) from exc
    cacert = Path(kept.cacert) if kept.cacert else None
    console = Console(kept.console, kept.certificate, cacert)
    return DeviceIdentity(console, key, kept.id, kept.name, kept.organisation, kept.kind)


def keep(identity: DeviceIdentity, file: Path) -> None:
    """Complete or not at all, and readable by nobody else at any moment."""
    kept = _File(
        console=identity.console.address,
        key=b64encode(identity.key.secret).decode(),
        id=identity.id,
        name=identity.name,
        organisation=identity.organisation,
        kind=identity.kind,
        certificate=identity.console.certificate,
        cacert=str(identity.console.cacert or ""),
    )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.encode(kept))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def forget(file: Path) -> None:
    file.unlink(missing_ok=True)
