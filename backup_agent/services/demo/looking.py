"""Looking into restore points: nothing is restored for it."""

from __future__ import annotations

from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.services.browse import Found, TreePath, parse_path, show_path
from backup_agent.services.demo.computer import WINDOWS_VOLUME
from backup_agent.services.demo.documents import PHOTOS
from backup_agent.services.demo.outcome import Browsed, BrowsedInside
from backup_agent.services.demo.windows import USER
from backup_agent.services.diff import Change, diff_points
from backup_agent.services.find import NamePattern, find_files
from backup_agent.services.inside import DeepBrowser

_PATTERN = "*.jpg"
_WORDS = {
    Change.ADDED: "added",
    Change.REMOVED: "removed",
    Change.MODIFIED: "changed",
    Change.METADATA: "another time or mode",
    Change.TYPE: "another kind of item",
}


def on_windows(path: str) -> TreePath:
    """Where a file of the Windows volume stands in a disk restore point."""
    return parse_path(f"/disk0/volume{WINDOWS_VOLUME}/{path}")


def browse_documents(
    before: DeepBrowser, now: DeepBrowser, documents: Path, *, cancel: CancelToken
) -> Browsed:
    """One folder, a search, and what changed between two restore points."""
    root = parse_path(str(documents))
    photos = (*root, PHOTOS.encode())
    pattern = NamePattern(_PATTERN, ignore_case=True)
    found = find_files(now.walk(), pattern, cancel=cancel)
    differences = diff_points(before, now, cancel=cancel)
    return Browsed(
        folder=show_path(photos),
        items=len(now.list_folder(photos)),
        pattern=_PATTERN,
        found=sum(1 for step in found if isinstance(step, Found)),
        differences=tuple(
            f"{show_path(d.path[len(root) :])[1:]}: {_WORDS[d.change]}" for d in differences
        ),
    )


def browse_volume(now: DeepBrowser) -> BrowsedInside:
    """Somebody's folder inside the stored Windows volume."""
    folder = on_windows(USER)
    names = sorted(node.name.decode() for node in now.list_folder(folder))
    return BrowsedInside(show_path(folder), tuple(names))
