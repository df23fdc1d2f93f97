"""Which restore points an administrator expects to stay: those that their retention keeps.

The console does not read restore points; when one was stored stands for when it was made. And
it knows no time zones: where the device's day ends before or after its own, the device keeps
another restore point of the same night, which is as good, unless it is far smaller.

What the retention keeps is the same before and after a deletion, for what was deleted lately
counts as well. So it is worked out once for many deletions, and outside their transactions: with
thousands of restore points that takes a while, and on SQLite everybody else would wait.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from console_ui.storage.models import Vault
from console_ui.storage.points import Point

_UNREAD = BlobId(bytes(32))
_TIME_ZONES = timedelta(hours=14)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a retention, and how near another restore point has to be to stand for one
    that it keeps.
    """

    policy: RetentionPolicy
    nearby: timedelta


@dataclass(frozen=True, slots=True)
class Expectation:
    """Each rule with the names of what it keeps, and the days of all that. Without any rule,
    nothing is expected.
    """

    kept: tuple[tuple[Rule, frozenset[str]], ...] = ()
    days: frozenset[date] = frozenset()

    def missed(self, points: Sequence[Point]) -> list[Point]:
        """Those that are hidden, though a rule keeps them and no other stands for them."""
        visible = [point for point in points if point.hidden_at is None]
        hidden = [point for point in points if point.hidden_at is not None]
        return [
            point
            for point in hidden
            if any(
                point.name in names and not _has_one_near(visible, point, rule.nearby)
                for rule, names in self.kept
            )
        ]

    def is_over(self, point: Point) -> bool:
        """Whether it went as time goes by: of its day nothing is kept any more, or, without
        rules, it was deleted after a day.
        """
        if not self.kept:
            return point.hidden_at is not None and point.hidden_at - point.made_at > _A_DAY
        return point.made_at.date() not in self.days


def expectation_of(vault: Vault, points: Sequence[Point], *, now: datetime) -> Expectation:
    """By the vault's rules, of what is visible and what was until lately, in order."""
    made = {point.name: point for point in points}
    snapshots = [
        Snapshot(id=SnapshotId(point.name), time=point.made_at, tree=_UNREAD, paths=())
        for point in points
    ]
    kept: list[tuple[Rule, frozenset[str]]] = []
    for rule in rules_of(vault):
        plan = plan_forget(snapshots, rule.policy, now=now)
        names = {str(each.snapshot.id) for each in plan.keep}
        names |= set(_outweighed(points, [made[name] for name in names], rule.nearby))
        kept.append((rule, frozenset(names)))
    days = {made[name].made_at.date() for _rule, names in kept for name in names}
    return Expectation(tuple(kept), frozenset(days))


def rules_of(vault: Vault) -> tuple[Rule, ...]:
    rules = (
        Rule(RetentionPolicy(last=vault.keep_last), timedelta(0)),
        Rule(RetentionPolicy(daily=vault.keep_daily), _TIME_ZONES),
        Rule(RetentionPolicy(weekly=vault.keep_weekly), _TIME_ZONES + _A_DAY),
        Rule(RetentionPolicy(monthly=vault.keep_monthly), _TIME_ZONES + _A_DAY),
    )
    return tuple(rule for rule in rules if not rule.policy.is_empty)


def _outweighed(points: Sequence[Point], kept: Iterable[Point], nearby: timedelta) -> Iterable[str]:
    """Something small that came last of a night is kept, but does not stand for what came
    before it: so the last of that is kept, too.
    """
    moments = [point.made_at for point in points]
    for point in kept:
        start, end = (bisect_right(moments, at) for at in (point.made_at - nearby, point.made_at))
        largest = max(points[start:end], key=lambda each: each.size, default=point)
        if not point.is_worth(largest):
            yield next(p.name for p in reversed(points[start:end]) if p.is_worth(largest))


def _has_one_near(points: Sequence[Point], wanted: Point, nearby: timedelta) -> bool:
    """Whether one of the points, in order, is less than that away and worth as much."""
    moments = [point.made_at for point in points]
    start = bisect_right(moments, wanted.made_at - nearby)
    end = bisect_left(moments, wanted.made_at + nearby)
    return any(point.is_worth(wanted) for point in points[start:end])
