"""What a WebDAV server answers to PROPFIND (RFC 4918, sections 9.1 and 14).

::

    <D:multistatus xmlns:D="DAV:">
      <D:response>
        <D:href>/repo/keys/0a1b…</D:href>
        <D:propstat>
          <D:prop>
            <D:getcontentlength>431</D:getcontentlength>
            <D:getlastmodified>Sun, 01 Mar 2026 12:00:00 GMT</D:getlastmodified>
            <D:resourcetype/>
          </D:prop>
          <D:status>HTTP/1.1 200 OK</D:status>
        </D:propstat>
      </D:response>
    </D:multistatus>

The server is not trusted: a document type is refused, so that no entity can
grow into gigabytes or fetch a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import inf
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

QUESTION = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:">'
    b"<prop><getcontentlength/><getlastmodified/><resourcetype/></prop></propfind>"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder; ``name`` is the last part of its path, ``size`` in bytes,
    ``changed`` in seconds since 1970, or for ever to come where the server does not tell.
    """

    name: str
    size: int
    is_folder: bool
    changed: float = inf


def parse_listing(document: bytes) -> list[Entry]:
    """All entries, the asked folder itself among them. Raises ``ValueError``."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(document, True)
    except expat.ExpatError as exc:
        raise ValueError("this is no complete XML") from exc
    if not reader.is_listing:
        raise ValueError("this is no WebDAV listing")
    return reader.entries


class _Reader:
    """Collects one entry per ``response`` element."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.is_listing = False
        self._open: list[str] = []
        self._href = ""
        self._size = ""
        self._changed = ""
        self._is_folder = False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._open.append(tag)
        match tag:
            case "DAV: multistatus":
                self.is_listing = True
            case "DAV: response":
                self._href, self._size, self._changed, self._is_folder = "", "", "", False
            case "DAV: collection":
                self._is_folder = True

    def text(self, text: str) -> None:
        match self._open[-2:]:
            case ["DAV: response", "DAV: href"]:
                self._href += text
            case [_, "DAV: getcontentlength"]:
                self._size += text
            case [_, "DAV: getlastmodified"]:
                self._changed += text

    def end(self, tag: str) -> None:
        self._open.pop()
        if tag == "DAV: response":
            path = unquote(urlsplit(self._href.strip()).path).rstrip("/")
            size = self._size.strip()
            self.entries.append(
                Entry(
                    name=path.rpartition("/")[2],
                    size=int(size) if size.isdecimal() else 0,
                    is_folder=self._is_folder,
                    changed=_seconds(self._changed.strip()),
                )
            )


def _seconds(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return inf


def _refuse_document_type(*_: object) -> None:
    raise ValueError("this XML declares a document type")
