"""Managed passwords: a key of its own in the vault, whose password the console keeps."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from backup_agent.crypto.password import STRONG, ScryptParameters
from backup_agent.errors import EverbootError, UsageError
from backup_agent.repository.keys import remove_key
from backup_agent.repository.repository import Repository
from backup_agent.services.keys import add_password
from backup_agent.services.link.identity import OWN_VAULT
from backup_agent.services.link.vaults import hand_over_password

_PASSWORD_BYTES = 32


def add_managed_password(
    repository: Repository,
    address: str,
    environment: Mapping[str, str],
    cacert: Path | None = None,
    *,
    parameters: ScryptParameters = STRONG,
) -> tuple[str, str]:
    """The new key's name, and the address of the console that keeps its password.

    Raises ``UsageError`` for any repository but this device's own vault, and where the console
    keeps one already. Where it does not take the password, the key goes again.
    """
    if address != OWN_VAULT:
        raise UsageError(
            "A console keeps passwords of its own vaults only.", hint="Give --repo vault:"
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    name = add_password(repository, password, username="console", parameters=parameters)
    try:
        return name, hand_over_password(password, environment, cacert, key=name)
    except EverbootError:
        remove_key(repository.backend, name, in_use=repository.key_name)
        raise
