"""Static files, served from memory under an address that changes with their content.

There are few and they are small; so they need no collecting step, no build, and may be
kept by browsers for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its content and the hash that stands in its address."""

    content: bytes
    content_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """All static files by their path, read once."""
    return dict(_walk(files("console_ui.web") / "static", PurePosixPath()))


def _walk(folder: Traversable, path: PurePosixPath) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _walk(entry, path / entry.name)
        elif (suffix := PurePosixPath(entry.name).suffix) in _TYPES:
            content = entry.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
            found.append((str(path / entry.name), Asset(content, _TYPES[suffix], version)))
    return found


def address(name: str) -> str:
    """Where a page finds the file ``name``. Raises ``KeyError`` for one that does not exist."""
    return f"/static/{assets()[name].version}/{name}"


@require_safe
def serve(_request: HttpRequest, version: str, name: str) -> HttpResponse:
    asset = assets().get(name)
    if asset is None:
        raise Http404
    # An old address (a page from before an upgrade) gets today's file, but must ask again.
    fresh = version == asset.version
    keep = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return HttpResponse(
        asset.content, content_type=asset.content_type, headers={"Cache-Control": keep}
    )
