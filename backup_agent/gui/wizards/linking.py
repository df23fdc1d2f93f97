"""The device's side of linking, as the window does it: ask for a code, wait for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backup_agent.errors import EverbootError, LinkError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.link.certificate import UnknownCertificate, trusted_console
from backup_agent.services.link.console import Codes, ConsoleClient
from backup_agent.services.link.identity import (
    Console,
    DeviceIdentity,
    SigningKey,
    forget,
    identity_file,
    keep,
    load,
)
from backup_agent.services.link.linking import new_key, this_device, wait_for_answer


@dataclass(frozen=True, slots=True)
class AskedCode:
    """What is shown while a person approves, and what waiting for that needs."""

    codes: Codes
    console: Console
    key: SigningKey
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Untrusted:
    """Nobody vouches for the console's certificate: a person has to compare it."""

    fingerprint: str
    why: str


def ask_for_code(
    address: str, environment: Mapping[str, str], *, trusted: str = ""
) -> AskedCode | Untrusted:
    """``trusted``: the fingerprint that a person has compared.

    Raises ``UsageError``, ``LinkError``, ``StorageError``.
    """
    unknown: list[UnknownCertificate] = []

    def confirm(shown: UnknownCertificate) -> bool:
        unknown.append(shown)
        return bool(trusted) and shown.fingerprint == trusted

    try:
        console = trusted_console(address, environment, cacert=None, confirm=confirm)
    except LinkError:
        if not unknown:
            raise
        return Untrusted(unknown[-1].fingerprint, unknown[-1].why)
    device, key = this_device(), new_key()
    with ConsoleClient(console, key, environment) as client:
        codes = client.ask_for_codes(name=device.name, system=device.system, scope="backup")
        return AskedCode(codes, console, key, client.short_fingerprint)


def wait_until_linked(
    asked: AskedCode, environment: Mapping[str, str], *, cancel: CancelToken
) -> DeviceIdentity:
    """Kept once a person has approved. Raises ``LinkRefusedError``, ``JobCancelledError``."""
    with ConsoleClient(asked.console, asked.key, environment) as client:
        token = wait_for_answer(client, asked.codes, wait=cancel.wait)
    identity = DeviceIdentity(
        asked.console,
        asked.key,
        token.device_id,
        token.device_name,
        token.organisation,
        token.scope,
    )
    keep(identity, identity_file(environment))
    return identity


def linked_as(environment: Mapping[str, str]) -> DeviceIdentity | None:
    """None for a computer that is not linked. Raises ``LinkError`` for a damaged file."""
    file = identity_file(environment)
    return load(file) if file.exists() else None


def unlink(environment: Mapping[str, str]) -> str:
    """Forget the console, and tell it; why it could not be told, else empty."""
    file = identity_file(environment)
    identity = load(file)
    problem = ""
    with ConsoleClient(identity.console, identity.key, environment) as client:
        try:
            client.leave(client.fresh_token().access_token)
        except EverbootError as exc:
            problem = exc.message
    forget(file)
    return problem
