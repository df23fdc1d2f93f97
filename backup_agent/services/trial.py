"""A trial restore: some files of a restore point, chosen by lot, brought back and thrown away.

Only a restore proves that one can restore. Every file is read back after it was written, and
goes with the scratch folder.
"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from backup_agent.errors import NoSuchPointError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.node import NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.repository import Repository
from backup_agent.services.browse import Found, Step, TreePath
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.repositories import reading
from backup_agent.services.restore import RestoreResult, restore_files

_LARGEST_FILE = 64 << 20
_MOST_BYTES = 1 << 30
"""A trial fits on a computer that is nearly full, and ends within minutes."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Which restore point was tried, how many files were drawn, and what became of them."""

    snapshot: Snapshot
    drawn: int
    result: RestoreResult


def latest_point(repository: Repository, *, tag: str) -> Snapshot:
    """The newest restore point with that tag. Raises ``NoSuchPointError``."""
    tagged = [s for s in repository.snapshots(on_damage=lambda _file: None) if tag in s.tags]
    if not tagged:
        raise NoSuchPointError(
            "There is no restore point of this plan to be tried.", hint="Run the plan first."
        )
    return max(tagged, key=lambda snapshot: (snapshot.time, snapshot.id))


def restore_as_trial(
    repository: Repository,
    *,
    tag: str,
    files: int,
    lot: random.Random,
    emit: Emit,
    cancel: CancelToken,
) -> Trial:
    """Restore so many files of the newest restore point with that tag, the files inside volumes
    for one of disks.

    Raises ``NoSuchPointError``, ``TargetError``, ``StorageError``, ``IntegrityError``,
    ``JobCancelledError``; what could not be brought back whole is in the result.
    """
    snapshot = latest_point(repository, tag=tag)
    with (
        reading(repository, emit=emit) as reader,
        DeepBrowser(reader, snapshot, emit=emit) as browser,
        tempfile.TemporaryDirectory(prefix="everboot-trial-") as scratch,
    ):
        drawn = draw_files(browser, files, lot=lot, cancel=cancel)
        if not drawn:
            return Trial(snapshot, 0, RestoreResult())
        result = restore_files(
            reader, browser, Path(scratch), selection=drawn, verify=True, emit=emit, cancel=cancel
        )
    return Trial(snapshot, len(drawn), result)


def draw_files(
    browser: DeepBrowser, count: int, *, lot: random.Random, cancel: CancelToken
) -> list[TreePath]:
    """So many files, each with the same chance (reservoir sampling, Algorithm R), without those
    too large for a trial.
    """
    wanted: list[TreePath] = [(disk.name,) for disk in browser.disks()]
    drawn: list[tuple[TreePath, int]] = []
    seen = 0
    for step in browser.walk(wanted):
        cancel.raise_if_cancelled()
        if not _is_candidate(step):
            continue
        seen += 1
        if len(drawn) < count:
            drawn.append((step.path, step.node.size))
        elif (place := lot.randrange(seen)) < count:
            drawn[place] = (step.path, step.node.size)
    return _within(drawn, _MOST_BYTES)


def _is_candidate(step: Step) -> TypeGuard[Found]:
    return (
        isinstance(step, Found)
        and step.node.kind is NodeKind.FILE
        and step.node.size <= _LARGEST_FILE
        and not (step.inside is not None and step.inside.problem)
    )


def _within(drawn: list[tuple[TreePath, int]], most: int) -> list[TreePath]:
    chosen = []
    for path, size in drawn:
        most -= size
        if most < 0:
            break
        chosen.append(path)
    return chosen
