"""Proving that a chain is whole, and writing it out for others to prove."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from console_ui.audit.models import FIRST_PREVIOUS_HASH, ChainEnd, Entry
from console_ui.audit.record import entry_hash, public_fields


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first place where a chain does not hold, and why."""

    sequence: int
    reason: str


def chains() -> list[uuid.UUID]:
    """The organisations that have a chain; ``NO_ORGANISATION`` is one of them.

    Found in both tables: with its end alone, or with its entries alone, a chain is broken.
    """
    ends = ChainEnd.objects.values_list("organisation_id", flat=True)
    entries = Entry.objects.order_by().values_list("organisation_id", flat=True)
    return sorted({*ends, *entries.distinct()})


def first_broken_link(organisation_id: uuid.UUID) -> BrokenLink | None:
    """Walk the whole chain; None means that nothing was changed, taken out or cut off."""
    sequence, previous = 0, FIRST_PREVIOUS_HASH
    for entry in Entry.objects.filter(organisation_id=organisation_id).order_by("sequence"):
        sequence += 1
        if entry.sequence != sequence:
            return BrokenLink(sequence, "missing")
        if entry.previous_hash != previous or entry.hash != entry_hash(entry):
            return BrokenLink(sequence, "changed")
        previous = entry.hash
    end = ChainEnd.objects.filter(organisation_id=organisation_id).first()
    told = (end.sequence, end.hash) if end is not None else (0, FIRST_PREVIOUS_HASH)
    if told != (sequence, previous):
        return BrokenLink(sequence + 1, "missing")
    return None


def json_lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    """One JSON object a line: all fields and the hash over them (see ``record.canonical``)."""
    for entry in entries:
        line = {**public_fields(entry), "hash": entry.hash}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"
