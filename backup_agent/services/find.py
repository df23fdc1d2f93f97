"""Finding files by name in a restore point."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator

from backup_agent.model.cancel import CancelToken
from backup_agent.services.browse import Found, Step, Unreachable


def find_files(
    steps: Iterable[Step], pattern: str, *, ignore_case: bool, cancel: CancelToken
) -> Iterator[Found | Unreachable]:
    """Items whose name matches the shell pattern, or whose whole path does if it has a slash.

    ``steps``: a browser's walk, which says where is looked.
    """
    flags = re.IGNORECASE if ignore_case else 0
    matcher = re.compile(fnmatch.translate(pattern), flags)
    on_path = "/" in pattern
    for step in steps:
        cancel.raise_if_cancelled()
        if isinstance(step, Unreachable):
            yield step
            continue
        if step.leaving:
            continue
        name = b"/" + b"/".join(step.path) if on_path else step.node.name
        if matcher.match(os.fsdecode(name)):
            yield step
