"""The Range header of a request (RFC 9110, section 14.2), as far as one range goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to before ``end`` of an object."""

    start: int
    end: int


def wanted_span(header: str | None, size: int) -> Span | None:
    """The span that was asked for; None means everything: no header, or one not understood.

    Raises ``ValueError`` for a range that the object does not reach.
    """
    found = _FORM.fullmatch(header) if header else None
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        span = Span(max(size - int(last), 0), size)
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
        if last and int(last) < int(first):
            return None
    if span.start >= span.end:
        raise ValueError(header)
    return span
