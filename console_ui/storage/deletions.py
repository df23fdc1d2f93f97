"""How much devices have deleted since a moment, against what was there at that moment.

Against what is there now would say little: who wants to delete unnoticed would first store
rubbish, until what matters is a small part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet, Sum

from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.models import State, StoredObject, Vault

_RETRY = timedelta(minutes=15)
"""For so long restic retries an upload whose answer was lost, beginning with a DELETE."""
_REPLACED_PERCENT = 50
"""So much an ordinary prune may copy to new packs in a day."""
_SMALL_BYTES = 16 << 20
"""So much lies in one pack or in a few small ones, which any prune may write anew as a whole."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Numbers of objects, or bytes: ``before`` were visible at the moment, ``gone`` of these are
    hidden since, ``came`` in their place.
    """

    before: int
    gone: int
    came: int = 0

    def exceeds(self, percent: int) -> bool:
        """Whether more is gone than that, and than what came in its place."""
        return (self.gone - self.came) * 100 > self.before * percent


def hidden_since(vault: Vault, since: datetime) -> QuerySet[StoredObject]:
    """What was hidden since, apart from uploads that were only about to be sent again."""
    is_no_retry = Q(stored_at=None) | Q(hidden_at__gt=F("stored_at") + _RETRY)
    return StoredObject.objects.filter(
        is_no_retry, vault=vault, state=State.HIDDEN, hidden_at__gt=since
    )


def lost_bytes(vault: Vault, since: datetime) -> Loss:
    """In bytes of all objects, nearly all of which are packs: the vault's own sum is at hand.

    Of a vault that has nothing older than the moment, everything counts.
    """
    hidden = hidden_since(vault, since)
    visible = Vault.objects.values_list("visible_bytes", flat=True).get(pk=vault.pk)
    came = _bytes(
        StoredObject.objects.filter(vault=vault, state=State.VISIBLE, stored_at__gt=since)
    )
    gone = _bytes(hidden.filter(is_older(since)))
    if visible - came + gone == 0:
        return Loss(before=visible + _bytes(hidden), gone=_bytes(hidden))
    return Loss(before=visible - came + gone, gone=gone, came=came)


def is_no_prune(loss: Loss) -> bool:
    """Whether so many bytes are gone that what came for them may well be rubbish."""
    return loss.before > _SMALL_BYTES and loss.gone * 100 > loss.before * _REPLACED_PERCENT


def lost_index_files(vault: Vault, since: datetime, *, replaced_since: datetime) -> bool:
    """Whether index files went and nothing came in their place, or less than half of it.

    A prune writes the new ones first, and they tell of about as many blobs; unless it removes
    much data, which is noticed as such.
    """
    kind = FileKind.INDEX
    gone = hidden_since(vault, since).filter(is_older(since), kind=kind.value)
    if not gone.exists():
        return False
    visible = catalog.visible(vault, kind)
    old = visible.filter(is_older(since))
    was_replaced = visible.filter(stored_at__gt=replaced_since).exists()
    return not was_replaced or _bytes(visible) * 2 < _bytes(old) + _bytes(gone)


def is_older(since: datetime) -> Q:
    """What was there at that moment; also what the console found there, whenever that came."""
    return Q(stored_at=None) | Q(stored_at__lte=since)


def _bytes(objects: QuerySet[StoredObject]) -> int:
    return objects.aggregate(sum=Sum("size"))["sum"] or 0
