"""Which restore points a forget removes, and that it removes nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    IntegrityError,
    NoSuchPointError,
    RepositoryLockedError,
    UsageError,
)
from backup_agent.format.tree import encode_tree
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, Notice, ignore
from backup_agent.model.ids import SnapshotId
from backup_agent.model.retention import RetentionPolicy
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import Repository
from backup_agent.repository.writer import BlobWriter
from backup_agent.services.forget import (
    ForgetByPolicy,
    ForgetDecision,
    ForgetOutcome,
    ForgetPoints,
    ForgetRequest,
    PointFilter,
    plan_forgetting,
    preview_forget_and_prune,
    run_forget,
    run_forget_and_prune,
)
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend

from .lagging import LaggingBackend
from .workshop import NOW, check, create, flip_bit, names, reopen

KEEP_ONE = RetentionPolicy(last=1)


@pytest.fixture
def backend() -> LaggingBackend:
    return LaggingBackend()


@pytest.fixture
def repository(backend: LaggingBackend) -> Repository:
    """Six daily restore points: of two hosts, one tagged each, by turns of two paths."""
    repository = create(backend)
    with BlobWriter(repository) as writer:
        tree = writer.save_tree(encode_tree([]))
        writer.finish()
    for day in range(6):
        repository.save_snapshot(
            Snapshot(
                SnapshotId(""),
                time=datetime(2026, 1, 1 + day, 12, tzinfo=UTC),
                tree=tree,
                paths=("/home",) if day < 4 else ("/home", "/etc"),
                hostname="desk" if day % 2 else "server",
                tags=("weekly", "office") if day == 3 else (),
            )
        )
    return repository


def days(decision: ForgetDecision) -> list[int]:
    return sorted(snapshot.time.day for snapshot in decision.plan.remove)


def decide(repository: Repository, request: ForgetRequest) -> ForgetDecision:
    return plan_forgetting(repository, request, now=NOW, emit=ignore)


def carry_out(repository: Repository, request: ForgetRequest) -> ForgetOutcome:
    return run_forget(
        repository,
        request,
        now=NOW,
        on_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


@pytest.mark.parametrize(
    ("chosen", "removed"),
    [
        (PointFilter(), [1, 2]),
        (PointFilter(hosts=("desk",)), [2]),
        (PointFilter(hosts=("desk", "server")), [1, 2]),
        (PointFilter(paths=("/etc",)), []),
        (PointFilter(tags=(("weekly",),)), []),
        (PointFilter(hosts=("nobody",)), []),
    ],
)
def test_policy_applies_to_each_group_of_what_the_filter_accepts(
    repository: Repository, chosen: PointFilter, removed: list[int]
) -> None:
    assert days(decide(repository, ForgetByPolicy(policy=KEEP_ONE, filter=chosen))) == removed


def test_filter_by_tags_wants_all_of_one_list(repository: Repository) -> None:
    tagged = repository.snapshots()[3]
    assert PointFilter(tags=(("weekly", "office"),)).accepts(tagged)
    assert PointFilter(tags=(("no",), ("office",))).accepts(tagged)
    assert not PointFilter(tags=(("weekly", "no"),)).accepts(tagged)


def test_grouping_by_nothing_keeps_one_of_all(repository: Repository) -> None:
    request = ForgetByPolicy(policy=KEEP_ONE, group_by=frozenset())
    assert days(decide(repository, request)) == [1, 2, 3, 4, 5]


def test_forget_removes_exactly_what_was_decided(repository: Repository) -> None:
    before = {snapshot.id for snapshot in repository.snapshots()}
    outcome = carry_out(repository, ForgetByPolicy(policy=KEEP_ONE))
    removed = set(outcome.decision.remove)
    assert len(removed) == 2
    assert {snapshot.id for snapshot in repository.snapshots()} == before - removed
    assert outcome.prune is None


def test_policy_without_a_rule_is_refused(repository: Repository) -> None:
    with pytest.raises(UsageError):
        carry_out(repository, ForgetByPolicy(policy=RetentionPolicy()))
    with pytest.raises(UsageError):
        carry_out(repository, ForgetPoints(()))
    assert len(repository.snapshots()) == 6


def test_decision_reads_as_a_list_of_what_stays_and_what_goes(repository: Repository) -> None:
    text = str(decide(repository, ForgetByPolicy(policy=KEEP_ONE)))
    assert text.count("keep   ") == 4
    assert text.count("remove ") == 2
    assert "last snapshot" in text


def test_points_are_forgotten_by_the_start_of_their_ids(repository: Repository) -> None:
    points = repository.snapshots()
    carry_out(repository, ForgetPoints((points[0].short_id, points[0].id, points[2].short_id)))
    assert [s.time.day for s in repository.snapshots()] == [2, 4, 5, 6]


def test_unknown_point_is_refused_before_any_is_removed(repository: Repository) -> None:
    first = repository.snapshots()[0]
    with pytest.raises(NoSuchPointError):
        carry_out(repository, ForgetPoints((first.id, "zzzz")))
    assert len(repository.snapshots()) == 6


def test_policy_leaves_a_damaged_point_alone_and_says_so(
    backend: LaggingBackend, repository: Repository
) -> None:
    damaged = repository.snapshots()[0].id
    flip_bit(backend, ObjectKey(FileKind.SNAPSHOT, damaged), 40)
    news: list[Event] = []
    request = ForgetByPolicy(policy=KEEP_ONE, group_by=frozenset())
    decision = plan_forgetting(repository, request, now=NOW, emit=news.append)
    assert damaged not in decision.remove
    assert any(isinstance(event, Notice) and damaged in event.message for event in news)


def test_damaged_point_can_be_given_up_by_its_id_and_prune_works_again(
    backend: LaggingBackend, repository: Repository
) -> None:
    damaged = repository.snapshots()[0].id
    flip_bit(backend, ObjectKey(FileKind.SNAPSHOT, damaged), 40)
    outcome = forget_and_prune(repository, ForgetPoints((damaged[:8],)))
    assert outcome.decision.damaged == (damaged,)
    assert f"remove {damaged[:8]}  (damaged)" in str(outcome.decision)
    assert damaged not in names(backend, FileKind.SNAPSHOT)
    assert check(repository).findings == ()


def forget_and_prune(repository: Repository, request: ForgetRequest) -> ForgetOutcome:
    return run_forget_and_prune(
        repository,
        request,
        now=NOW,
        on_plan=lambda _plan: None,
        on_prune_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


def test_forget_with_prune_frees_the_space_at_once(
    backend: LaggingBackend, repository: Repository
) -> None:
    everything = ForgetPoints(tuple(s.id for s in repository.snapshots()))
    dry = preview_forget_and_prune(
        repository, everything, now=NOW, emit=ignore, cancel=CancelToken()
    )
    assert len(names(backend, FileKind.SNAPSHOT)) == 6
    outcome = forget_and_prune(repository, everything)
    assert outcome.prune is not None
    assert dry.prune is not None
    assert outcome.prune.delete == dry.prune.delete != {}
    assert names(backend, FileKind.PACK) == set()


def test_prune_goes_on_while_the_listing_still_names_what_was_forgotten(
    backend: LaggingBackend, repository: Repository
) -> None:
    points = repository.snapshots()
    backend.ghosts = {ObjectKey(FileKind.SNAPSHOT, points[0].id)}
    outcome = forget_and_prune(repository, ForgetPoints((points[0].id,)))
    assert outcome.prune is not None
    backend.ghosts = set()
    assert len(repository.snapshots()) == 5


def test_forget_takes_the_repository_alone(repository: Repository) -> None:
    with RepositoryLock(repository), pytest.raises(RepositoryLockedError):
        carry_out(repository, ForgetByPolicy(policy=KEEP_ONE))


def test_read_only_storage_is_an_access_error(
    backend: LaggingBackend, repository: Repository
) -> None:
    read_only = reopen(FaultyBackend(backend, fail_at=1, error=AccessDeniedError))
    with pytest.raises(AccessDeniedError):
        carry_out(read_only, ForgetByPolicy(policy=KEEP_ONE))
    assert len(repository.snapshots()) == 6


def test_snapshot_of_an_unknown_tree_stops_the_prune_that_follows(
    backend: LaggingBackend, repository: Repository
) -> None:
    first = repository.snapshots()[0]
    repository.save_snapshot(replace(first, tree=type(first.tree)(bytes(32))))
    packs = names(backend, FileKind.PACK)
    with pytest.raises(IntegrityError):
        forget_and_prune(repository, ForgetPoints((first.id,)))
    assert names(backend, FileKind.PACK) == packs
