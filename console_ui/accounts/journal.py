"""Writing down what people do to their accounts: in the log of each of their organisations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.http import HttpRequest

from console_ui.accounts.models import User
from console_ui.accounts.request import actor_of
from console_ui.audit.actor import Actor, ActorKind
from console_ui.audit.record import Outcome, record


def note(
    request: HttpRequest,
    action: str,
    *,
    by: Actor | None = None,
    about: str = "",
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, str | int | bool] | None = None,
) -> None:
    """Record what the person of this request (or ``by``) did to their own account."""
    note_by(by or actor_of(request), action, about=about, outcome=outcome, details=details)


def note_by(
    actor: Actor,
    action: str,
    *,
    about: str = "",
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, str | int | bool] | None = None,
) -> None:
    """The same where no page was asked for."""
    user = User.objects.filter(pk=actor.id).first() if actor.kind is ActorKind.PERSON else None
    note_of(user, actor, action, about=about, outcome=outcome, details=details)


def note_of(
    user: User | None,
    by: Actor,
    action: str,
    *,
    about: str = "",
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, str | int | bool] | None = None,
) -> None:
    """Record what somebody did to ``user``'s account; without one, in nobody's log."""
    memberships = user.memberships.all() if user else []
    chains: list[uuid.UUID | None] = [each.organisation_id for each in memberships]
    for organisation_id in chains or [None]:
        record(
            action,
            by=by,
            organisation_id=organisation_id,
            about=about,
            outcome=outcome,
            details=details,
        )
