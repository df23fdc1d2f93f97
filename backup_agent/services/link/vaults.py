"""``vault:`` and ``vault:NAME``: from an address to the console's gateway, tokens included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backup_agent.errors import NotLinkedError
from backup_agent.services.link.console import ConsoleClient, VaultEntry
from backup_agent.services.link.identity import OWN_VAULT, DeviceIdentity, identity_file, load
from backup_agent.services.link.tokens import DeviceTokens
from backup_agent.storage.addresses import StorageOptions

_OWN = "own"


@dataclass(frozen=True, slots=True)
class ReachedVault:
    """What ``open_backend`` needs for it."""

    address: str
    options: StorageOptions


def reach(address: str, environment: Mapping[str, str], options: StorageOptions) -> ReachedVault:
    """Raises ``NotLinkedError`` without a console or such a vault, ``LinkRefusedError``,
    ``StorageError``.
    """
    identity = _identity(environment, options.cacert)
    # It lives as long as the backend, which closes it: tokens are renewed until the end.
    client = ConsoleClient(identity.console, identity.key, environment)
    tokens = DeviceTokens(client)
    try:
        vault = _find(address, client.vaults(tokens.current()))
    except BaseException:
        client.close()
        raise
    return ReachedVault(
        f"rest:{identity.console.address}{vault.path}",
        replace(
            options,
            tokens=tokens,
            cacert=identity.console.cacert,
            certificate=identity.console.certificate,
        ),
    )


def managed_password(
    address: str, environment: Mapping[str, str], cacert: Path | None = None
) -> str | None:
    """What the console keeps for that vault; None where it keeps nothing. Raises as ``reach``."""
    with _client(environment, cacert) as (_, client):
        token = DeviceTokens(client).current()
        vault = _find(address, client.vaults(token))
        return client.managed_password(token, vault.device_id)


def hand_over_password(
    password: str, environment: Mapping[str, str], cacert: Path | None = None, *, key: str
) -> str:
    """Let the console keep the password of a key of this device's own vault; the console's
    address. Raises ``UsageError`` where it keeps one already, and as ``reach``.
    """
    with _client(environment, cacert) as (identity, client):
        client.keep_managed_password(DeviceTokens(client).current(), password, key=key)
        return identity.console.address


def reachable(environment: Mapping[str, str], cacert: Path | None = None) -> Sequence[VaultEntry]:
    """All vaults that this device may reach now. Raises as ``reach``."""
    with _client(environment, cacert) as (_, client):
        return client.vaults(DeviceTokens(client).current())


@contextmanager
def _client(
    environment: Mapping[str, str], cacert: Path | None
) -> Iterator[tuple[DeviceIdentity, ConsoleClient]]:
    identity = _identity(environment, cacert)
    with ConsoleClient(identity.console, identity.key, environment) as client:
        yield identity, client


def _identity(environment: Mapping[str, str], cacert: Path | None) -> DeviceIdentity:
    identity = load(identity_file(environment))
    if cacert is None:
        return identity
    return replace(identity, console=replace(identity.console, cacert=cacert))


def _find(address: str, vaults: Sequence[VaultEntry]) -> VaultEntry:
    wanted = address[len(OWN_VAULT) :]
    if not wanted:
        found = [vault for vault in vaults if vault.right == _OWN]
    else:
        found = [v for v in vaults if wanted == v.id or wanted.casefold() == v.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"vault:{vault.id}" for vault in found)
        raise NotLinkedError(f"Several vaults are called {wanted!r}.", hint=f"Choose one: {ids}")
    if not wanted:
        raise NotLinkedError(
            "This device has no vault of its own yet.",
            hint="It was linked for restoring only, or no storage location was added in the "
            "console. Name another vault: --repo vault:NAME.",
        )
    known = ", ".join(f"vault:{vault.name}" for vault in vaults) or "none"
    raise NotLinkedError(
        f"This device may not reach a vault called {wanted!r}.", hint=f"It may reach: {known}."
    )
