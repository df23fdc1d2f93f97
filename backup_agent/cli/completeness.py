"""Saying that what was just taken out of a restore point is not all there once was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.render import Render
from backup_agent.errors import IntegrityError

if TYPE_CHECKING:
    from backup_agent.services.browse import PointBrowser


def tell_omissions(browser: PointBrowser, render: Render) -> int | None:
    """Warn if the restore point lacks something; returns how many problems it lists.

    ``None`` where the list itself is damaged, which keeps nobody from the rest.
    """
    point = browser.snapshot.short_id
    try:
        found = len(browser.omissions())
    except IntegrityError as exc:
        render.warn(f"What the restore point {point} lacks cannot be told: {exc.message}")
        return None
    if found:
        render.warn(
            f"The restore point {point} is incomplete: {words.count(found, 'problem')} when it "
            "was made, listed in it as /.everboot/omissions.jsonl."
        )
    return found
