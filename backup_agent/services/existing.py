"""What a restore does with what stands in its target already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from backup_agent.model.events import Emit, Notice
from backup_agent.model.node import NodeKind
from backup_agent.services.browse import Found, Step, TreePath, show_path


class Existing(StrEnum):
    """Folders are always kept, with what they hold; this is about everything else."""

    REPLACE = "replace"
    KEEP = "keep"
    """It stays, and its older version is not restored."""
    BESIDE = "beside"
    """It stays, and its older version gets a name that says when it is from."""


def settle(
    steps: Iterator[Step],
    target: Path,
    existing: Existing,
    *,
    is_on_the_way: Callable[[TreePath], bool],
    mark: str,
    emit: Emit,
) -> Iterator[Step]:
    """The steps as they are to be carried out below ``target``.

    Folders that stand and only lead to what was asked for are left untouched: nobody asked for
    their metadata. ``mark`` is what ``BESIDE`` puts behind a name, before its suffix.
    """
    root = os.fsencode(target)
    for step in steps:
        if not isinstance(step, Found):
            yield step
            continue
        stands = os.path.lexists(os.path.join(root, *step.path))
        if step.node.kind is NodeKind.FOLDER:
            if not (stands and is_on_the_way(step.path)):
                yield step
            continue
        if not stands:
            yield step
            continue
        match existing:
            case Existing.REPLACE:
                yield step
            case Existing.KEEP:
                emit(Notice(f"{show_path(step.path)} stays as it is."))
            case Existing.BESIDE:
                yield replace(step, path=_free_path(root, step.path, mark))
            case _:
                assert_never(existing)


def _free_path(root: bytes, path: TreePath, mark: str) -> TreePath:
    """``plan.dwg`` as ``plan (restored 2026-11-10 18.02).dwg``, or with a number where need be."""
    stem, suffix = os.path.splitext(path[-1])
    number = 1
    while True:
        counted = mark if number == 1 else f"{mark} {number}"
        name = stem + f" ({counted})".encode() + suffix
        fresh = (*path[:-1], name)
        if not os.path.lexists(os.path.join(root, *fresh)):
            return fresh
        number += 1
