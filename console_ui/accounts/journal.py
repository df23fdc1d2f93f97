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
    """The same where no page was asked for: by a program, or at the console's own keyboard."""
    for organisation_id in _organisations_of(actor):
        record(
            action,
            by=actor,
            organisation_id=organisation_id,
            about=about,
            outcome=outcome,
            details=details,
        )


def _organisations_of(actor: Actor) -> list[uuid.UUID | None]:
    if actor.kind is not ActorKind.PERSON:
        return [None]
    user = User.objects.filter(pk=actor.id).first()
    found = user.memberships.values_list("organisation_id", flat=True) if user else []
    return list(found) or [None]
