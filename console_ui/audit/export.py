"""The log as a file, however long it is: read piece by piece while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from console_ui.audit.chain import json_lines
from console_ui.audit.models import Entry

_PIECE_ENTRIES = 500


async def pieces(entries: QuerySet[Entry]) -> AsyncIterator[bytes]:
    """JSON lines of entries of one chain, oldest first.

    Each piece is a query of its own, so that none stays open for as long as somebody downloads.
    """
    sequence = 0
    while found := await sync_to_async(_after)(entries, sequence):
        yield b"".join(json_lines(found))
        sequence = found[-1].sequence


def _after(entries: QuerySet[Entry], sequence: int) -> list[Entry]:
    return list(entries.filter(sequence__gt=sequence).order_by("sequence")[:_PIECE_ENTRIES])
