"""From what an administrator filled in to a place that the engine can open.

Each kind has its fields; ``SECRETS`` names those that are sealed. The engine learns all of them
as the variables it knows from its command line, never as part of an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from django.utils import timezone

from backup_agent.errors import AccessDeniedError, EverbootError, UsageError
from backup_agent.services.vault import EgressPolicy, Place, masked, try_place
from console_ui.django_settings import console_settings
from console_ui.sealing import seal, unseal
from console_ui.storage.models import Location, LocationKind

# Each secret, and whose it is.
_OWNERS = {
    "secret_key": ("access_key",),
    "application_credential_secret": ("application_credential_id",),
    "password": ("username", "user_domain"),
}
SECRETS = frozenset(_OWNERS)
# Where secrets are sent to.
_SERVERS = ("endpoint", "auth_url", "url")

Fields = Mapping[str, str]


def set_fields(location: Location, fields: Fields) -> None:
    """Put form fields where they belong; the caller saves.

    Secrets left empty stay as they were, but only for the server and the user they were given
    for: who may change an address must not learn a secret by having it sent there.
    """
    kept = {k: v for k, v in _secrets(location).items() if not _is_others(location, k, fields)}
    secrets = {**kept, **{k: v for k, v in fields.items() if k in SECRETS and v}}
    location.settings = {k: v for k, v in fields.items() if k not in SECRETS and v}
    location.sealed_secrets = seal(json.dumps(secrets).encode(), context=_context(location))


def secrets_to_give_again(location: Location, fields: Fields) -> frozenset[str]:
    """Those left empty that ``set_fields`` would not keep, though a user for them is named."""
    return frozenset(
        secret
        for secret in _secrets(location)
        if not fields.get(secret)
        and fields.get(_OWNERS[secret][0])
        and _is_others(location, secret, fields)
    )


def place_of(location: Location) -> Place:
    """Raises ``AccessDeniedError`` for a folder outside the roots, ``UsageError`` for fields
    that make no address.
    """
    fields: Fields = {**location.settings, **_secrets(location)}
    egress = EgressPolicy(console_settings().storage_networks)
    match LocationKind(location.kind):
        case LocationKind.S3:
            address = f"s3:{fields['endpoint'].rstrip('/')}/{fields['bucket']}"
            return Place(_joined(address, fields), _s3(fields), egress)
        case LocationKind.SWIFT:
            address = f"swift:{fields['container']}:"
            return Place(_joined(address, fields), _keystone(fields), egress)
        case LocationKind.WEBDAV:
            names = {"username": "EVERBOOT_WEBDAV_USERNAME", "password": "EVERBOOT_WEBDAV_PASSWORD"}
            return Place(f"webdav:{fields['url'].rstrip('/')}", _named(fields, names), egress)
        case LocationKind.FOLDER:
            return Place(f"local:{_folder(fields)}")
        case kind:
            assert_never(kind)


def shown_address(location: Location) -> str:
    """The address for people: without secrets, and without asking anybody."""
    try:
        return masked(place_of(location).address).removeprefix("local:")
    except EverbootError as exc:
        return exc.message


def try_connection(location: Location) -> EverbootError | None:
    """Try the place out and note how it went; None when all works."""
    failure: EverbootError | None = None
    try:
        try_place(place_of(location))
    except EverbootError as exc:
        failure = exc
    Location.objects.filter(pk=location.pk).update(
        tested_at=timezone.now(), test_failure=failure.message[:300] if failure else ""
    )
    return failure


def _is_others(location: Location, secret: str, fields: Fields) -> bool:
    """Whether the secret was given for another server or user than ``fields`` name."""
    return _addressee(location.settings, secret) != _addressee(fields, secret)


def _addressee(fields: Fields, secret: str) -> tuple[str, ...]:
    servers = (urlsplit(fields.get(name, "")) for name in _SERVERS)
    owner = (fields.get(name, "") for name in _OWNERS[secret])
    # With the scheme: https that becomes http would show the secret to everybody on the way.
    return (*(f"{url.scheme}://{url.netloc}".lower() for url in servers), *owner)


def _secrets(location: Location) -> dict[str, str]:
    if not location.sealed_secrets:
        return {}
    found: dict[str, str] = json.loads(
        unseal(bytes(location.sealed_secrets), context=_context(location))
    )
    return found


def _context(location: Location) -> str:
    return f"storage-location:{location.pk}"


def _joined(address: str, fields: Fields) -> str:
    path = fields.get("path", "").strip("/")
    return f"{address}/{path}" if path or address.endswith(":") else address


def _s3(fields: Fields) -> dict[str, str]:
    names = {
        "access_key": "AWS_ACCESS_KEY_ID",
        "secret_key": "AWS_SECRET_ACCESS_KEY",
        "region": "AWS_DEFAULT_REGION",
    }
    return _named(fields, names)


def _keystone(fields: Fields) -> dict[str, str]:
    """Keystone v3, or the older v1 login where the address of one is given."""
    if fields["auth_url"].rstrip("/").endswith("/v1.0"):
        return _named(fields, {"auth_url": "ST_AUTH", "username": "ST_USER", "password": "ST_KEY"})
    names = {
        "auth_url": "OS_AUTH_URL",
        "region": "OS_REGION_NAME",
        "application_credential_id": "OS_APPLICATION_CREDENTIAL_ID",
        "application_credential_secret": "OS_APPLICATION_CREDENTIAL_SECRET",
        "username": "OS_USERNAME",
        "password": "OS_PASSWORD",
        "user_domain": "OS_USER_DOMAIN_NAME",
        "project": "OS_PROJECT_NAME",
        "project_domain": "OS_PROJECT_DOMAIN_NAME",
    }
    return _named(fields, names)


def _named(fields: Fields, names: Mapping[str, str]) -> dict[str, str]:
    return {names[key]: value for key, value in fields.items() if key in names and value}


def _folder(fields: Fields) -> Path:
    """A folder below one of the roots named at start, also once symbolic links are followed."""
    roots = [root.resolve() for root in console_settings().storage_roots]
    root = Path(fields["root"]).resolve()
    if root not in roots:
        raise AccessDeniedError(
            f"{fields['root']} is no folder for vaults.",
            hint="Whoever starts the console names such folders with --storage-root.",
        )
    folder = (root / fields.get("folder", "")).resolve()
    if not folder.is_relative_to(root):
        raise UsageError(
            f"{fields['folder']} leads out of {root}.", hint="Name a folder within it."
        )
    return folder
