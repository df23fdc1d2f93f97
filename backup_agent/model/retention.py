"""Which restore points to keep: the same answer as restic (0.16 and newer) for the same policy.

Snapshots are looked at group by group (by default of one host and the same
paths), newest first. Each rule of a policy keeps on its own; what none keeps is
removed. An hourly rule, say, keeps the newest snapshot of each hour that has
one, until its number is used up. While some of it is left, the oldest snapshot
of all is kept too, so that history grows back to full length.

An hour, a day, a week (ISO's, starting on Monday) is that of the snapshot's own
time zone, as it is recorded with its time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from backup_agent.errors import UsageError
from backup_agent.model.duration import Duration
from backup_agent.model.snapshot import Snapshot

UNLIMITED = -1
"""As a number to keep: all of them."""

TagList: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What to keep; 0, ``None`` and nothing mean that a rule is absent.

    ``within`` counts from the newest snapshot of the group, so that a computer
    which is switched off for a month keeps what it has. ``tags``: keeps what
    has all the tags of at least one list; an empty tag stands for "no tags".

    Raises :class:`UsageError` for numbers below -1.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: Duration | None = None
    tags: tuple[TagList, ...] = ()

    def __post_init__(self) -> None:
        numbers = (self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly)
        if min(numbers) < UNLIMITED:
            raise UsageError(
                "A number of restore points to keep cannot be negative.",
                hint='Write "unlimited" to keep all.',
            )

    @property
    def is_empty(self) -> bool:
        """Whether there is no rule at all."""
        return not self.within and self == RetentionPolicy(within=self.within)


class GroupBy(StrEnum):
    """What snapshots of one group have in common; the values are those of ``--group-by``."""

    HOST = "host"
    PATHS = "paths"
    TAGS = "tags"


HOST_AND_PATHS = frozenset({GroupBy.HOST, GroupBy.PATHS})


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What a group has in common; ``None`` is what it was not grouped by. Order means nothing."""

    host: str | None
    paths: tuple[str, ...] | None
    tags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot to keep, and every rule that keeps it, in restic's words."""

    snapshot: Snapshot
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What happens in one group; newest first."""

    group: GroupKey
    keep: tuple[Kept, ...]
    remove: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """What to show, and then to carry out."""

    groups: tuple[GroupPlan, ...]

    @property
    def keep(self) -> list[Kept]:
        return [kept for group in self.groups for kept in group.keep]

    @property
    def remove(self) -> list[Snapshot]:
        return [snapshot for group in self.groups for snapshot in group.remove]


def parse_count(text: str) -> int:
    """A number to keep as people write it; ``unlimited`` for all. Raises :class:`UsageError`."""
    if text == "unlimited":
        return UNLIMITED
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(
            f"{text!r} is no number of restore points to keep.",
            hint='Write a number, or "unlimited".',
        )
    return int(text)


def parse_group_by(text: str) -> frozenset[GroupBy]:
    """``host,paths``, say; empty for one single group. Raises :class:`UsageError`."""
    names = {"host", "paths", "tags"}
    singular = {"hosts": "host", "path": "paths", "tag": "tags"}
    wanted = {singular.get(name, name) for name in text.split(",") if name}
    if unknown := wanted - names:
        raise UsageError(
            f"Restore points cannot be grouped by {', '.join(sorted(unknown))}.",
            hint="Use any of host, paths and tags, separated by commas.",
        )
    return frozenset(GroupBy(name) for name in wanted)


def group_snapshots(
    snapshots: Sequence[Snapshot], *, by: frozenset[GroupBy] = HOST_AND_PATHS
) -> dict[GroupKey, list[Snapshot]]:
    """The groups, each newest first; of equal times, the order of ids decides."""
    groups: dict[GroupKey, list[Snapshot]] = {}
    for snapshot in sorted(snapshots, key=lambda s: (s.time, s.id), reverse=True):
        key = GroupKey(
            host=snapshot.hostname if GroupBy.HOST in by else None,
            paths=tuple(sorted(snapshot.paths)) if GroupBy.PATHS in by else None,
            tags=tuple(sorted(snapshot.tags)) if GroupBy.TAGS in by else None,
        )
        groups.setdefault(key, []).append(snapshot)
    return groups


def plan_forget(
    snapshots: Sequence[Snapshot],
    policy: RetentionPolicy,
    *,
    now: datetime,
    by: frozenset[GroupBy] = HOST_AND_PATHS,
) -> ForgetPlan:
    """What of these snapshots to keep and what to remove.

    ``now`` only serves to overlook snapshots from the future (of a wrong clock)
    when ``within`` looks for the newest. Raises :class:`UsageError` for an empty
    policy, which would keep nothing.
    """
    if policy.is_empty:
        raise UsageError(
            "No rule says what to keep, so everything would go.",
            hint="Name at least one, for example --keep-daily 7.",
        )
    return ForgetPlan(
        tuple(
            _plan_group(key, members, policy, now=now)
            for key, members in group_snapshots(snapshots, by=by).items()
        )
    )


def _plan_group(
    key: GroupKey, newest_first: list[Snapshot], policy: RetentionPolicy, *, now: datetime
) -> GroupPlan:
    limit = _within_limit(newest_first, policy.within, now=now)
    rules = _counting_rules(policy)
    oldest = newest_first[-1]
    keep: list[Kept] = []
    remove: list[Snapshot] = []
    for snapshot in newest_first:
        reasons = [
            f"has tags [{', '.join(tags)}]" for tags in policy.tags if _has_tags(snapshot, tags)
        ]
        if limit is not None and snapshot.time > limit:
            reasons.append(f"within {policy.within}")
        for rule in rules:
            reasons += rule.reasons_to_keep(snapshot, is_oldest=snapshot is oldest)
        if reasons:
            keep.append(Kept(snapshot, tuple(reasons)))
        else:
            remove.append(snapshot)
    return GroupPlan(key, tuple(keep), tuple(remove))


class _CountingRule:
    """Keeps the newest snapshot of each period, for a number of periods."""

    def __init__(self, name: str, count: int, period: Callable[[Snapshot], Hashable]) -> None:
        self._name = name
        self._left = count
        self._period = period
        self._last_period: Hashable = None

    def reasons_to_keep(self, snapshot: Snapshot, *, is_oldest: bool) -> list[str]:
        """At most one reason. To be asked once for each snapshot, newest first."""
        if self._left == 0:
            return []
        period = self._period(snapshot)
        is_new = period != self._last_period
        if not (is_new or is_oldest):
            return []
        self._last_period = period
        if self._left != UNLIMITED:
            self._left -= 1
        return [f"{'' if is_new else 'oldest '}{self._name} snapshot"]


def _counting_rules(policy: RetentionPolicy) -> list[_CountingRule]:
    return [
        _CountingRule("last", policy.last, lambda s: s.id),
        _CountingRule("hourly", policy.hourly, lambda s: (s.time.date(), s.time.hour)),
        _CountingRule("daily", policy.daily, lambda s: s.time.date()),
        _CountingRule("weekly", policy.weekly, lambda s: s.time.isocalendar()[:2]),
        _CountingRule("monthly", policy.monthly, lambda s: (s.time.year, s.time.month)),
        _CountingRule("yearly", policy.yearly, lambda s: s.time.year),
    ]


def _within_limit(
    newest_first: list[Snapshot], within: Duration | None, *, now: datetime
) -> datetime | None:
    """The moment after which all are kept. When all are from the future, that is all of them."""
    if not within:
        return None
    newest = next((s.time for s in newest_first if s.time < now), None)
    return within.before(newest) if newest else datetime.min.replace(tzinfo=now.tzinfo)


def _has_tags(snapshot: Snapshot, tags: TagList) -> bool:
    if not snapshot.tags:
        return "" in tags[:1]
    return set(tags) <= set(snapshot.tags)
