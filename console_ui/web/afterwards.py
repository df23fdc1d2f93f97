"""Work that is done after the answer, so that the time of the answer tells nothing about it.

In a thread of its own, one piece after the other. What waits there is lost when the console is
killed: only for what people simply ask for once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

_log = logging.getLogger(__name__)
_worker = ThreadPoolExecutor(1, thread_name_prefix="afterwards")


def do_afterwards(work: Callable[[], object]) -> None:
    """Return at once; ``work`` is done soon, with database connections of its own."""
    _worker.submit(_do, work)


def _do(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        # Nobody waits for the answer: the log is who is left to tell.
        _log.exception("something that was put off failed")
    finally:
        connections.close_all()
