"""From where a request comes: address and browser, as lists and mails show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

# The first that occurs names the browser: all others pretend to be Chrome and Safari, too.
_BROWSERS = (
    ("Firefox/", "Firefox"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """``browser`` is a few words ("Firefox, Windows"), empty when unknown."""

    address: str
    browser: str


UNKNOWN_VISITOR = Visitor("", "")


def visitor_of(request: HttpRequest) -> Visitor:
    """The server has already put a trusted proxy's word into ``REMOTE_ADDR``."""
    return Visitor(
        address=str(request.META.get("REMOTE_ADDR") or "")[:45],
        browser=_browser(request.headers.get("User-Agent", "")),
    )


def _browser(agent: str) -> str:
    names = [
        next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in names if name)
