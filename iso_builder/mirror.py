"""Where this computer gets Debian's packages from: no address of a mirror stands in our code."""

from __future__ import annotations

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
        if mirror := mirror_from_targets(targets):
            return mirror
    raise UsageError(
        "This computer's settings name no Debian archive.",
        hint="Give --mirror URL, the address of one.",
    )


def mirror_from_targets(targets: str) -> Mirror | None:
    """From the lines of ``apt-get indextargets``: origin, component, release, address."""
    archive = security = ""
    for line in targets.splitlines():
        origin, component, release, address = line.split("\t")
        if (origin, component) != ("Debian", "main"):
            continue
        if release.endswith("-security"):
            security = security or address
        elif "-" not in release:
            archive = archive or address
    return Mirror(archive, security) if archive else None
