"""The one way into the audit log."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from console_ui.audit.actor import Actor
from console_ui.audit.models import NO_ORGANISATION, ChainEnd, Entry


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


def record(
    action: str,
    *,
    by: Actor,
    organisation_id: uuid.UUID | None = None,
    about: str = "",
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, str | int | bool] | None = None,
) -> Entry:
    """Add one entry to the organisation's chain.

    ``action`` is "noun.verb" in the past tense ("login.refused"), ``about`` what it was done
    to. Inside a transaction it is kept or lost together with what it tells about; two that
    are added at once wait for each other. Never put a secret into ``details``.
    """
    chain = organisation_id or NO_ORGANISATION
    with transaction.atomic():
        ChainEnd.objects.get_or_create(organisation_id=chain)
        end = ChainEnd.objects.select_for_update().get(organisation_id=chain)
        entry = Entry(
            organisation_id=chain,
            sequence=end.sequence + 1,
            at=timezone.now(),
            action=action,
            outcome=outcome.value,
            actor_kind=by.kind.value,
            actor_id=by.id,
            actor_name=by.name[:254],
            address=by.address,
            about=about[:254],
            details=dict(details or {}),
            previous_hash=end.hash,
        )
        entry.hash = entry_hash(entry)
        entry.save()
        ChainEnd.objects.filter(organisation_id=chain).update(
            sequence=entry.sequence, hash=entry.hash
        )
    return entry


def entry_hash(entry: Entry) -> str:
    """SHA-256 (hex) over the canonical form of everything in the entry but this hash."""
    return hashlib.sha256(canonical(entry)).hexdigest()


def canonical(entry: Entry) -> bytes:
    """JSON with sorted keys and no spaces: what is hashed, and what an export shows."""
    return json.dumps(
        public_fields(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def public_fields(entry: Entry) -> dict[str, object]:
    """The entry as an exported JSON object, without its own hash."""
    return {
        "organisation": str(entry.organisation_id),
        "sequence": entry.sequence,
        "at": _timestamp(entry.at),
        "action": entry.action,
        "outcome": entry.outcome,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "address": entry.address,
        "about": entry.about,
        "details": entry.details,
        "previous_hash": entry.previous_hash,
    }


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
