"""The Range header of HTTP, and what servers make of it (RFC 9110, section 14)."""

from __future__ import annotations

from dataclasses import dataclass

PARTIAL_CONTENT = 206
RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes ``offset`` to ``offset + length``, to the end when ``length`` is ``None``."""

    offset: int = 0
    length: int | None = None

    @property
    def header(self) -> str | None:
        """The header's value, or ``None`` where the whole object is wanted."""
        if self.length is not None:
            return f"bytes={self.offset}-{self.offset + self.length - 1}"
        return f"bytes={self.offset}-" if self.offset else None

    def cut(self, status: int, body: bytes) -> bytes:
        """The wanted part of ``body``: a server that ignores Range answers 200 with everything."""
        if status == PARTIAL_CONTENT or self.header is None:
            return body
        end = None if self.length is None else self.offset + self.length
        return body[self.offset : end]
