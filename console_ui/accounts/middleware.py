"""What happens to every request before its page: session, person, organisation, language.

And the gate: whoever must set up a second factor, or has not kept the recovery codes yet, gets
no further than that, in every session that is open, from the next request on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import translation

from console_ui.accounts.models import Membership, User
from console_ui.accounts.request import ConsoleRequest, MemberRequest
from console_ui.accounts.sessions import SessionStore
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.models import NO_ORGANISATION

_ORGANISATION_KEY = "organisation"

_ALWAYS_OPEN = frozenset({"asset", "login", "log-out", "language", "leave", "confirm"})
_CODES_OPEN = frozenset({"recovery-codes", "recovery-codes-download", "recovery-codes-renew"})
_WHY_STOPPED = {
    "mfa_enrolment_required": "A second factor must be set up first.",
    "recovery_codes_not_kept": "The recovery codes must be kept first.",
}
_ENROLMENT_OPEN = frozenset({"second-factor", "authenticator-app", "security-key-add"})


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
        request.person = request.membership = None
        if not request.user.is_authenticated:
            return self._get_response(request)
        request.person = user = request.user
        if not _comes_by_itself(request):
            request.session.touch()
        request.membership = current_membership(request, user)
        if request.membership is not None:
            cast(MemberRequest, request).organisation = request.membership.organisation
        with translation.override(user.language or translation.get_language()):
            return self._get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        _page: object,
        _args: tuple[object, ...],
        _kwargs: dict[str, object],
    ) -> HttpResponseBase | None:
        """The gate. It stands here because only now the page's name is known."""
        match = request.resolver_match
        if match is None or match.url_name in _ALWAYS_OPEN or not request.user.is_authenticated:
            return None
        if request.user.has_second_factor:
            if request.user.kept_recovery_codes_at is not None or match.url_name in _CODES_OPEN:
                return None
            return _stop(request, "recovery-codes", "recovery_codes_not_kept")
        if not request.user.must_have_second_factor or match.url_name in _ENROLMENT_OPEN:
            return None
        return _stop(request, "second-factor", "mfa_enrolment_required")


def _comes_by_itself(request: HttpRequest) -> bool:
    """Whether nobody did anything: an open page renews its stream of news for ever."""
    return request.headers.get("Accept") == "text/event-stream"


def _stop(request: HttpRequest, page: str, code: str) -> HttpResponseBase:
    """Pages lead to what is missing; programs are told its name."""
    if request.path.startswith("/api/") or "json" in request.headers.get("Accept", ""):
        return JsonResponse({"code": code, "message": _WHY_STOPPED[code]}, status=403)
    return redirect(page)


def current_membership(request: ConsoleRequest, user: User) -> Membership | None:
    """That of the organisation chosen in this session, else the oldest."""
    memberships = user.memberships.select_related("organisation").order_by("joined_at")
    chosen: str = request.session.get(_ORGANISATION_KEY) or str(NO_ORGANISATION)
    return memberships.filter(organisation_id=chosen).first() or memberships.first()


def choose_organisation(request: ConsoleRequest, membership: Membership) -> None:
    """Look at this membership's organisation from the next request on."""
    request.session[_ORGANISATION_KEY] = str(membership.organisation_id)
