"""A request as pages see it, once the middleware has looked who it is from."""

from __future__ import annotations

from django.http import HttpRequest

from console_ui.accounts.models import Membership, Organisation, User
from console_ui.accounts.sessions import SessionStore
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.actor import Actor, ActorKind


class ConsoleRequest(HttpRequest):
    """Any request; ``membership`` is that of the organisation the person looks at now.

    ``person`` is None for somebody who is not logged in.
    """

    session: SessionStore
    person: User | None
    membership: Membership | None


class UserRequest(ConsoleRequest):
    """A request of somebody who is logged in."""

    user: User


class MemberRequest(UserRequest):
    """A request of somebody who acts in an organisation."""

    membership: Membership
    organisation: Organisation


def actor_of(request: HttpRequest) -> Actor:
    """Who to name in the audit log for this request."""
    address = visitor_of(request).address
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return person(user, address=address)
    return Actor(kind=ActorKind.UNKNOWN, address=address)


def person(user: User, *, address: str = "") -> Actor:
    return Actor(kind=ActorKind.PERSON, id=str(user.pk), name=user.email, address=address)
