"""How restic itself reaches a vault, without this console."""

from __future__ import annotations

from typing import assert_never

from backup_agent.errors import EverbootError
from backup_agent.services.vault import masked
from console_ui.storage.locations import place_of
from console_ui.storage.models import Location, LocationKind, Vault


def repository_address(vault: Vault) -> str:
    """What restic is given with ``-r``; for a place that it does not speak, as rclone mounts it.

    Without secrets. Empty where the location makes no address any more.
    """
    try:
        place = place_of(vault.location).below(str(vault.pk), "repository")
    except EverbootError:
        return ""
    address = masked(place.address).removeprefix("local:")
    match LocationKind(vault.location.kind):
        case LocationKind.S3 | LocationKind.SWIFT | LocationKind.FOLDER:
            return address
        case LocationKind.WEBDAV:
            return f"rclone:webdav:{vault.pk}/repository"
        case kind:
            assert_never(kind)


def variables(location: Location) -> tuple[str, ...]:
    """The variables in which restic looks for the login, by name; their values are not ours."""
    match LocationKind(location.kind):
        case LocationKind.S3:
            return "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"
        case LocationKind.SWIFT:
            return (
                "OS_AUTH_URL",
                "OS_REGION_NAME",
                "OS_APPLICATION_CREDENTIAL_ID",
                "OS_APPLICATION_CREDENTIAL_SECRET",
            )
        case LocationKind.WEBDAV | LocationKind.FOLDER:
            return ()
        case kind:
            assert_never(kind)
