"""Where this computer gets Debian's packages from: no address of a mirror stands in our code."""

from __future__ import annotations

import platform

from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from iso_builder.command import is_installed, run
from iso_builder.config import Mirror

_FORMAT = "$(ORIGIN)\t$(COMPONENT)\t$(RELEASE)\t$(REPO_URI)"


def own_mirror(cancel: CancelToken) -> Mirror:
    """The one in this computer's own settings. Raises ``UsageError`` if it is no Debian."""
    if is_installed("apt-get"):
        targets = run(
            ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"], cancel=cancel
        )
        if mirror := mirror_from_targets(targets, codename=_codename()):
            return mirror
    raise UsageError(
        "This computer's settings name no Debian archive.",
        hint="Give --mirror URL, the address of one.",
    )


def mirror_from_targets(targets: str, *, codename: str) -> Mirror | None:
    """From the lines of ``apt-get indextargets``: origin, component, release, address.

    The origin is empty while an archive's index has not been downloaded; then
    the release, ``codename``, has to tell.
    """
    archive = security = ""
    for line in targets.splitlines():
        origin, component, release, address = line.split("\t")
        if component != "main" or origin not in {"Debian", ""} or not codename:
            continue
        if release == f"{codename}-security":
            security = security or address
        elif release == codename:
            archive = archive or address
    return Mirror(archive, security) if archive else None


def _codename() -> str:
    """Of this computer's Debian (``bookworm``); empty for other systems."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release["ID"] == "debian" else ""
