"""What happens to every request before its page: session, person, organisation, language."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from console_ui.accounts.models import Membership, User
from console_ui.accounts.request import ConsoleRequest
from console_ui.accounts.sessions import SessionStore
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.models import NO_ORGANISATION

_ORGANISATION_KEY = "organisation"


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, which also tells the session who its visitor is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        cast(SessionStore, request.session).visitor = visitor_of(request)


class AccountMiddleware:
    """Finds the organisation the person looks at, and speaks their language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, incoming: HttpRequest) -> HttpResponse:
        request = cast(ConsoleRequest, incoming)
        request.membership = None
        if not request.user.is_authenticated:
            return self._get_response(request)
        user = request.user
        request.session.touch()
        request.membership = current_membership(request, user)
        if request.membership is not None:
            request.organisation = request.membership.organisation  # type: ignore[attr-defined]
        with translation.override(user.language or translation.get_language()):
            return self._get_response(request)


def current_membership(request: ConsoleRequest, user: User) -> Membership | None:
    """That of the organisation chosen in this session, else the oldest."""
    memberships = user.memberships.select_related("organisation").order_by("joined_at")
    chosen: str = request.session.get(_ORGANISATION_KEY) or str(NO_ORGANISATION)
    return memberships.filter(organisation_id=chosen).first() or memberships.first()


def choose_organisation(request: ConsoleRequest, membership: Membership) -> None:
    """Look at this membership's organisation from the next request on."""
    request.session[_ORGANISATION_KEY] = str(membership.organisation_id)
