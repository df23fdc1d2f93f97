"""Who comes, and what they may do with the vault they ask for.

Two ways in: HTTP Basic with an application password (or the account's own where no second factor
is), as stock clients speak it, and a device's short-lived access token. A vault of another
organisation looks like one that does not exist.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from backup_agent.services.vault import FileKind
from console_ui.accounts.application_passwords import (
    EnrolmentRequired,
    Principal,
    authenticate_program,
)
from console_ui.accounts.models import Role, Scope, User
from console_ui.accounts.request import person
from console_ui.accounts.throttle import Blocked
from console_ui.audit.actor import Actor
from console_ui.storage.gateway.messages import Refusal
from console_ui.storage.models import Vault

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Everboot storage", charset="UTF-8"'}


class Rights(Enum):
    """What somebody may do in a vault."""

    READ = auto()
    """Read everything; place and remove locks, as reading takes them."""
    BROWSE = auto()
    """Read everything, for half a day even what is deleted meanwhile; change nothing. Who browses
    needs no lock then, and no prune waits for people.
    """
    WRITE = auto()
    """Everything that devices can do at all."""
    NONE = auto()
    """Nothing: for them there is no such vault."""


@dataclass(frozen=True, slots=True)
class Access:
    """An authorised request's vault and rights, and whom to name in the audit log."""

    vault: Vault
    rights: Rights
    actor: Actor

    def require_change(self, kind: FileKind | None) -> None:
        """Raises ``Refusal`` where this one may not add or delete such objects."""
        may_lock = self.rights is Rights.READ and kind is FileKind.LOCK
        if self.rights is not Rights.WRITE and not may_lock:
            raise Refusal(403, "You may only read this vault.")
        if self.vault.bringing_back_to is not None:
            # restic and our own client try again for a quarter of an hour.
            text = "The vault is being brought back to an earlier state; writing waits for that."
            raise Refusal(503, text, {"Retry-After": "60"})


class DeviceTokens(Protocol):
    """Knows devices by their access tokens."""

    def rights_in(
        self, vault: Vault | None, token: str, *, address: str
    ) -> tuple[Rights, Actor] | None:
        """What the token's device may do there (None: a vault that does not exist); None when
        the token is not good.
        """
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says of its sender; what that grants changes with the database."""

    header: str = field(repr=False)
    vault_id: uuid.UUID
    address: str
    tokens: DeviceTokens | None

    def authorise(self) -> Access:
        """At this moment. Raises ``Refusal`` (401, 403, 404, 429)."""
        return authorise(self.header, self.vault_id, address=self.address, tokens=self.tokens)


def authorise(
    header: str, vault_id: uuid.UUID, *, address: str, tokens: DeviceTokens | None
) -> Access:
    """What the Authorization header grants. Raises ``Refusal`` (401, 403, 404, 429)."""
    scheme, _, credentials = header.partition(" ")
    vault = Vault.objects.select_related("location", "organisation").filter(pk=vault_id).first()
    match scheme.lower():
        case "basic":
            return _by_password(credentials, vault, address=address)
        case "bearer" if tokens is not None:
            found = tokens.rights_in(vault, credentials, address=address)
            if found is None:
                raise _unknown()
            rights, actor = found
            if vault is None or rights is Rights.NONE:
                raise _no_such_vault()
            return Access(vault, rights, actor)
        case _:
            raise _unknown()


def _by_password(credentials: str, vault: Vault | None, *, address: str) -> Access:
    try:
        login, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _unknown() from None
    match authenticate_program(
        login,
        password,
        scope=Scope.STORAGE_READ,
        address=address,
        organisation_id=vault.organisation_id if vault else None,
    ):
        case None:
            raise _unknown()
        case Blocked(seconds=seconds):
            wait = {"Retry-After": str(seconds)}
            raise Refusal(429, "Too many wrong passwords from there. Wait a while.", wait)
        case EnrolmentRequired():
            text = "mfa_enrolment_required: set up two-factor authentication in the console first."
            raise Refusal(403, text)
        case Principal() as principal:
            return _of_principal(principal, login, vault, address=address)


def _of_principal(principal: Principal, login: str, vault: Vault | None, *, address: str) -> Access:
    if vault is None or vault.organisation_id != principal.organisation.pk:
        raise _no_such_vault()
    reaches = principal.reaches
    if reaches is not None and reaches.isdisjoint({vault.pk, vault.device_id}):
        raise _no_such_vault()
    if not _is_named(login, vault, principal.user):
        raise _unknown()
    if not principal.role.includes(Role.OPERATOR):
        raise Refusal(403, "Your role does not open backups.")
    may_write = Scope.STORAGE in principal.scopes
    return Access(
        vault,
        Rights.WRITE if may_write else Rights.READ,
        person(principal.user, address=address),
    )


def _is_named(login: str, vault: Vault, user: User) -> bool:
    """Whether the name is that of the vault's device, or of who made the password."""
    if vault.device_id is not None and login.strip().lower() == str(vault.device_id):
        return True
    return User.objects.find(login) == user


def _unknown() -> Refusal:
    return Refusal(401, "Name or application password are not right.", _CHALLENGE)


def _no_such_vault() -> Refusal:
    return Refusal(404, "There is no such vault.")
