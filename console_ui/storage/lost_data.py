"""How much data devices have deleted, of what was there when a restore point was made.

What is there now says little: who wants to delete unnoticed stores rubbish instead, before or
after, at once or in portions. So each of these moments counts, as far back as the vault can be
brought back, and there are two questions:

- Does the vault hold far less than it held then?
- Is far more of what it held then gone than an ordinary prune copies to new packs? What came in
  its place does not count, as nobody knows what that is worth.

In both, the share of the restore points that were there then and whose time is over explains as
large a share of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min, Q, QuerySet, Sum

from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.deletions import hidden_since
from console_ui.storage.expected import Expectation
from console_ui.storage.models import State, StoredObject, Vault
from console_ui.storage.points import Point
from console_ui.storage.timeline import Stay, amounts_at

_A_DAY = timedelta(days=1)
_LESS_PERCENT = 20
_REPLACED_PERCENT = 50
"""So much an ordinary prune may copy to new packs."""
_SMALL_BYTES = 4 << 20
"""Packs below that size every prune writes anew, together with others."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a vault held at a moment: ``size`` in bytes of all kinds, nearly all of it packs, and
    the bytes of ``index`` files. ``over_percent`` of its restore points are gone in good time.
    """

    moment: datetime
    size: int
    index: int
    over_percent: int


def levels_of(
    vault: Vault, points: Sequence[Point], expected: Expectation, *, since: datetime, now: datetime
) -> tuple[Level, ...]:
    """At the beginning, and at each moment since then at which a restore point was made; where
    there was none, a day ago. In a new vault without any: before its first deletion.

    Other moments would not do: in the middle of a prune some of the data lie twice.
    """
    came = {point.made_at for point in points if point.is_dated and point.made_at > since}
    moments = sorted({since, *(came or {max(since, now - _A_DAY)})})
    everything = StoredObject.objects.filter(vault=vault)
    is_old = Q(stored_at=None) | Q(stored_at__lte=now - _A_DAY)
    if not (points or everything.filter(is_old).exists()):
        first = everything.aggregate(at=Min("hidden_at"))["at"]
        moments.append(now if first is None else first - timedelta(microseconds=1))
        moments.sort()
    # Also what is about to be sent again was there.
    hidden = everything.filter(state=State.HIDDEN, hidden_at__gt=since)
    sizes = amounts_at(moments, _stays(vault, since, hidden, Q()))
    indexes = amounts_at(moments, _stays(vault, since, hidden, Q(kind=FileKind.INDEX.value)))
    there = amounts_at(moments, map(_stay, points))
    gone = [p for p in points if p.hidden_at is not None and expected.is_over(p)]
    over = amounts_at(moments, map(_stay, gone))
    return tuple(
        Level(moment, size, index, of_points * 100 // (all_points or 1))
        for moment, size, index, of_points, all_points in zip(
            moments, sizes, indexes, over, there, strict=True
        )
    )


def too_much_data_lost(
    vault: Vault, levels: Iterable[Level], *, since: datetime, now: datetime
) -> bool:
    """Whether, against one of the levels since then, too much is missing or was replaced."""
    levels = [level for level in levels if level.moment >= since and level.size]
    hidden = hidden_since(vault, since, now=now)
    most = hidden.aggregate(size=Sum("size"))["size"] or 0
    if all(most * 100 <= level.size * _LESS_PERCENT for level in levels):
        return False
    visible = Vault.objects.values_list("visible_bytes", flat=True).get(pk=vault.pk)
    stays = (Stay(*row) for row in hidden.values_list("size", "stored_at", "hidden_at"))
    gone = amounts_at([level.moment for level in levels], stays)
    return any(
        _is_too_much(level, visible=visible, gone=lost)
        for level, lost in zip(levels, gone, strict=True)
    )


def lost_index_files(
    vault: Vault, levels: Iterable[Level], *, since: datetime, now: datetime
) -> bool:
    """Whether index files went, and nothing came in their place, or less than half of it.

    A prune writes the new ones first, and they tell of about as many blobs; unless it removes
    much data, which is noticed as such.
    """
    gone = hidden_since(vault, since, now=now).filter(kind=FileKind.INDEX.value)
    last = gone.aggregate(at=Max("hidden_at"))["at"]
    if last is None:
        return False
    visible = catalog.visible(vault, FileKind.INDEX)
    left = visible.aggregate(size=Sum("size"))["size"] or 0
    was_replaced = visible.filter(stored_at__gt=last - _A_DAY).exists()
    return not was_replaced or any(
        left * 2 * 100 < level.index * (100 - level.over_percent)
        for level in levels
        if level.moment >= since
    )


def _is_too_much(level: Level, *, visible: int, gone: int) -> bool:
    missing = level.size - visible
    is_less = missing * 100 > level.size * (_LESS_PERCENT + level.over_percent)
    is_replaced = gone * 100 > level.size * (_REPLACED_PERCENT + level.over_percent)
    return is_less or (is_replaced and gone > _SMALL_BYTES)


def _stays(
    vault: Vault, since: datetime, hidden: QuerySet[StoredObject], kind: Q
) -> Iterable[Stay]:
    """What came since, one by one; what was there before, in one sum."""
    visible = StoredObject.objects.filter(kind, vault=vault, state=State.VISIBLE)
    is_new = Q(stored_at__gt=since)
    old = visible.exclude(is_new).aggregate(size=Sum("size"))["size"] or 0
    yield Stay(old, None, None)
    for objects in (visible.filter(is_new), hidden.filter(kind)):
        for row in objects.values_list("size", "stored_at", "hidden_at").iterator():
            yield Stay(*row)


def _stay(point: Point) -> Stay:
    return Stay(1, point.made_at if point.is_dated else None, point.hidden_at)
