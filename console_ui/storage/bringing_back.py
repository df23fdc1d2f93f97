"""Bringing a whole vault back to a moment from which on nothing was purged.

That is any of the last 14 days, of those before an alarm that is still open, and of a vault's
whole life while nothing was purged at all. What was visible then is shown, what came later is
hidden (and can be brought back in its turn), locks go. The wish is written down first and taken
back last: a console that dies on the way goes on after its next start. Meanwhile devices can
read, but not write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backup_agent.errors import UsageError
from backup_agent.services.vault import FileKind, VaultStore
from console_ui.storage import catalog, objects
from console_ui.storage.models import State, StoredObject, Vault

_PAGE = 500  # What is done leaves the query, so the first page is always the next.
_LOCK, _CONFIG = FileKind.LOCK.value, FileKind.CONFIG.value


@dataclass(frozen=True, slots=True)
class BringBackPlan:
    """What would happen; numbers of objects, ``points`` of them restore points; bytes."""

    moment: datetime
    shown: int
    shown_points: int
    shown_bytes: int
    hidden: int
    hidden_points: int


def plan(vault: Vault, moment: datetime, *, now: datetime) -> BringBackPlan:
    """Raises ``UsageError`` for a moment that is over for good, or still to come."""
    earliest = earliest_moment(vault)
    if not earliest <= moment <= now:
        since = date_format(first_whole_second(earliest), "j F Y, H:i:s")
        raise UsageError(
            _("This vault can be brought back to any moment since %(date)s UTC.") % {"date": since},
            hint=_("What was deleted before is gone for good."),
        )
    come, go = _to_show(vault, moment), _to_hide(vault, moment)
    points = FileKind.SNAPSHOT.value
    return BringBackPlan(
        moment=moment,
        shown=come.count(),
        shown_points=come.filter(kind=points).count(),
        shown_bytes=come.aggregate(sum=Sum("size"))["sum"] or 0,
        hidden=go.count(),
        hidden_points=go.filter(kind=points).count(),
    )


def wish(vault: Vault, plan: BringBackPlan) -> bool:
    """Write down what is to be done; whether nothing was wished for before, nor purged since the
    plan was made.
    """
    is_whole = Q(purged_until=None) | Q(purged_until__lte=plan.moment)
    unwished = Vault.objects.filter(is_whole, pk=vault.pk, bringing_back_to=None)
    return bool(unwished.update(bringing_back_to=plan.moment))


def carry_out(vault: Vault, store: VaultStore, *, now: datetime) -> None:
    """Do what was wished for, or the rest of it. Raises ``StorageError``; then try again."""
    moment = vault.bringing_back_to
    if moment is None:
        return
    for line in catalog.visible(vault, FileKind.LOCK):
        objects.remove_lock(store, line)
    # What is missing comes before what is too much goes: broken off, all is still there.
    while page := _to_show(vault, moment).select_related("vault")[:_PAGE]:
        for line in page:
            objects.show(store, line)
    while page := _to_hide(vault, moment).select_related("vault")[:_PAGE]:
        for line in page:
            objects.hide(store, line, now=now)
    Vault.objects.filter(pk=vault.pk).update(
        bringing_back_to=None, packs_listed_at=None, brought_back_at=now
    )


def earliest_moment(vault: Vault) -> datetime:
    """From here on nothing that was visible is gone."""
    return vault.made_at if vault.purged_until is None else vault.purged_until


def first_whole_second(moment: datetime) -> datetime:
    """What to show of an earliest moment: people type no fractions."""
    return moment.replace(microsecond=0) + timedelta(seconds=1)


def _to_show(vault: Vault, moment: datetime) -> QuerySet[StoredObject]:
    stored_then = Q(stored_at=None) | Q(stored_at__lte=moment)
    return StoredObject.objects.filter(
        stored_then, vault=vault, state=State.HIDDEN, hidden_at__gt=moment
    )


def _to_hide(vault: Vault, moment: datetime) -> QuerySet[StoredObject]:
    came_later = StoredObject.objects.filter(
        vault=vault, state=State.VISIBLE, stored_at__gt=moment
    ).exclude(kind__in=(_LOCK, _CONFIG))
    if vault.console_key:
        came_later = came_later.exclude(kind=FileKind.KEY.value, name=vault.console_key)
    return came_later
