"""What devices have deleted, and how long it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from console_ui.storage.models import State, StoredObject, Vault

KEPT_FOR = timedelta(days=14)
"""So long after its deletion an object is purged."""
_RETRY = timedelta(minutes=15)
"""For so long restic retries an upload whose answer was lost, beginning with a DELETE."""


def hidden_since(vault: Vault, since: datetime, *, now: datetime) -> QuerySet[StoredObject]:
    """What was hidden since, apart from uploads that may be about to be sent again: what was
    hidden right after it was stored, and comes back to be seen within a quarter of an hour.
    """
    was_settled = Q(stored_at=None) | Q(hidden_at__gt=F("stored_at") + _RETRY)
    never_came_back = Q(hidden_at__lte=now - _RETRY)
    return StoredObject.objects.filter(
        was_settled | never_came_back, vault=vault, state=State.HIDDEN, hidden_at__gt=since
    )
