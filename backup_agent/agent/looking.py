"""Looking at storage locations for the desk, which is loaded without the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from backup_agent.agent.desk import KeptPoint, LocationFinding, LocationState, RetentionPreview
from backup_agent.agent.plan import Plan
from backup_agent.agent.upkeep import retention_request
from backup_agent.errors import EverbootError, RepositoryNotFoundError, WrongPasswordError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.forget import plan_forgetting
from backup_agent.services.repositories import Access, create, opened


def preview_retention(plan: Plan, access: Access, *, now: datetime) -> RetentionPreview:
    """As ``Desk.preview_retention``."""
    with opened(access, emit=ignore, cancel=CancelToken()) as repository:
        decided = plan_forgetting(repository, retention_request(plan), now=now, emit=ignore).plan
    return RetentionPreview(
        keep=tuple(_point(kept.snapshot, kept.reasons) for kept in decided.keep),
        remove=tuple(_point(snapshot, ()) for snapshot in decided.remove),
    )


def look_at(access: Callable[[], Access]) -> LocationFinding:
    """As ``Desk.look_at``. ``access`` may raise as ``PlanRepositories.access``."""
    try:
        with opened(access(), dry_run=True, cached=False, emit=ignore, cancel=CancelToken()):
            return LocationFinding(state=LocationState.READY)
    except RepositoryNotFoundError as exc:
        return _finding(LocationState.EMPTY, exc)
    except WrongPasswordError as exc:
        return _finding(LocationState.WRONG_PASSWORD, exc)
    except EverbootError as exc:
        return _finding(LocationState.FAILED, exc)


def create_repository(access: Access) -> None:
    """As ``Desk.create_repository``."""
    create(access, emit=ignore, cancel=CancelToken()).backend.close()


def _point(snapshot: Snapshot, reasons: Sequence[str]) -> KeptPoint:
    return KeptPoint(
        snapshot=snapshot.id,
        made_at=snapshot.time,
        # Names of files may hold bytes that are no text; a socket carries text.
        paths=tuple(p.encode("utf-8", "backslashreplace").decode() for p in snapshot.paths),
        reasons=tuple(reasons),
    )


def _finding(state: LocationState, error: EverbootError) -> LocationFinding:
    return LocationFinding(state=state, message=error.message, hint=error.hint)
