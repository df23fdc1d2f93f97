"""The programs that make the demo's computer and judge what came back: none of them is ours."""

from __future__ import annotations

from backup_agent.errors import UnsupportedError
from backup_agent.host.command import CommandResult, is_installed, run

# program -> the Debian package that brings it; .dev/debian.py installs these
TOOLS = {
    "sfdisk": "fdisk",
    "mkfs.fat": "dosfstools",
    "fsck.fat": "dosfstools",
    "mcopy": "mtools",
    "mkntfs": "ntfs-3g",
    "ntfscp": "ntfs-3g",
    "ntfscat": "ntfs-3g",
    "ntfsresize": "ntfs-3g",
    "wimlib-imagex": "wimtools",
    "restic": "restic",
}
_TOOL_SECONDS = 60.0


def require_tools() -> None:
    """Raises ``UnsupportedError`` that names the Debian packages to install."""
    missing = [program for program in TOOLS if not is_installed(program)]
    if missing:
        packages = " ".join(sorted({TOOLS[program] for program in missing}))
        raise UnsupportedError(
            f"The demo needs {', '.join(missing)}, which this computer lacks.",
            hint=f"On Debian: apt-get install --no-install-recommends {packages}",
        )


def run_tool(*command: str, feed: bytes = b"") -> CommandResult:
    """Raises ``HostError`` with the program's own words if it fails."""
    return run(command, feed=feed, timeout_seconds=_TOOL_SECONDS)
