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
        # apt tells nothing of an archive before its lists were fetched.
        hint="On Debian, run apt-get update first; elsewhere give --mirror URL.",
    )


def mirror_from_targets(targets: str, *, codename: str) -> Mirror | None:
    """From the lines of ``apt-get indextargets``: origin, component, release, address.

    ``codename`` is this computer's own release, for whose packages the archive was chosen.
    """
    archive = security = ""
    for line in targets.splitlines():
        origin, component, release, address = line.split("\t")
        if (origin, component) != ("Debian", "main"):
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
