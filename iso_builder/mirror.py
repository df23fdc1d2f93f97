"""Where this computer gets Debian's packages from: no address of a mirror stands in our code."""

from __future__ import annotations

import platform
import re

from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import is_installed, run
from iso_builder.config import Mirror

_INDEX = re.compile(r"^'(?P<address>\S+/)dists/(?P<release>[^/]+)/InRelease'", re.MULTILINE)


def own_mirror(cancel: CancelToken) -> Mirror:
    """The one in this computer's own settings. Raises ``UsageError`` if it is no Debian."""
    codename = _codename()
    if codename and is_installed("apt-get"):
        # Tells what it would fetch, fetches nothing, and needs no root.
        addresses = run(["apt-get", "--print-uris", "update"], cancel=cancel)
        if mirror := mirror_from_addresses(addresses, codename=codename):
            return mirror
    raise UsageError(
        "This computer's settings name no Debian archive.",
        hint="Give --mirror URL, the address of one.",
    )


def mirror_from_addresses(addresses: str, *, codename: str) -> Mirror | None:
    """From the lines of ``apt-get --print-uris update``.

    Others offer packages for this release, ``codename``, too; only Debian's
    own archive has its point releases' updates beside it, as a rule.
    """
    found = [(match["release"], match["address"]) for match in _INDEX.finditer(addresses)]
    archives = [address for release, address in found if release == codename]
    archives.sort(key=lambda address: (f"{codename}-updates", address) not in found)
    security = [address for release, address in found if release == f"{codename}-security"]
    return Mirror(archives[0], *security[:1]) if archives else None


def _codename() -> str:
    """Of this computer's Debian (``bookworm``); empty for other systems."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release["ID"] == "debian" else ""
