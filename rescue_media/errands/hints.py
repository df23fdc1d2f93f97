"""What to try, in the window's words where the engine speaks of its command line."""

from __future__ import annotations

import re

_COMMAND_LINE = re.compile(r"(?<![\w-])--[a-z]|\beverboot [a-z]")
_IN_THE_WINDOW = {
    "--map": "Choose the destination of each line in the volume mapping.",
    "--new-guids": 'Tick the new disk GUIDs in "Restore Options".',
    "--scratch": "Choose a larger destination.",
    "--repo": "Go back, and choose another workstation.",
    "--cacert": "Go back to Cloud Storage, and compare the certificate's fingerprint.",
    "--read-data": "Choose an earlier restore point, or have the repository checked from a "
    "computer that runs Everboot.",
    "--allow-mounted": "Eject what uses the disk, or choose another destination.",
    "--target": "Name a folder that can be written to, say on a USB disk.",
    "everboot link": "Go back to Cloud Storage, and ask for a new registration code.",
}


def hint_in_the_window(hint: str) -> str:
    """The hint itself unless it names a command; of one that nobody can type here, nothing."""
    if not _COMMAND_LINE.search(hint):
        return hint
    return next((says for sign, says in _IN_THE_WINDOW.items() if sign in hint), "")
