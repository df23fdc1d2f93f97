"""Saying that what was just taken out of a restore point is not all there once was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.render import Render

if TYPE_CHECKING:
    from backup_agent.services.browse import PointBrowser


def tell_omissions(browser: PointBrowser, render: Render) -> int:
    """Warn if the restore point lacks something; returns how many problems it lists."""
    found = len(browser.omissions())
    if found:
        render.warn(
            f"The restore point {browser.snapshot.short_id} is incomplete: "
            f"{words.count(found, 'problem')} when it was made, listed in it as "
            "/.everboot/omissions.jsonl."
        )
    return found
