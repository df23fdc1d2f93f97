"""Who calls: each kind of proof leads to a ``Caller`` or a ``Device``, or to a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from console_ui.accounts.application_passwords import (
    EnrolmentRequired,
    Principal,
    authenticate_program,
)
from console_ui.accounts.models import Organisation, Role, Scope, User
from console_ui.accounts.request import ConsoleRequest, person
from console_ui.accounts.throttle import Blocked
from console_ui.accounts.visitor import visitor_of
from console_ui.api.refusals import Refused
from console_ui.audit.actor import Actor
from console_ui.devices import tokens
from console_ui.devices.credentials import basic_login, bearer_token
from console_ui.devices.models import Device


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, or a program that acts for one, in one organisation."""

    user: User
    organisation: Organisation
    role: Role
    actor: Actor

    def require(self, role: Role) -> None:
        """Raises ``Refused`` for a caller with a smaller role."""
        if not self.role.includes(role):
            raise Refused(403, "role_too_small", "Your role does not allow this.")


class DeviceToken(AuthBase):
    """A device's access token, ten minutes old at most (RFC 6750)."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Device:
        token = bearer_token(request)
        device = self.find(token, address=visitor_of(request).address) if token else None
        if device is None:
            told = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refused(401, "invalid_token", "No token of a linked device.", headers=told)
        return device

    def find(self, token: str, *, address: str) -> Device | None:
        return tokens.authenticate(token, address=address)


class AgentToken(DeviceToken):
    """The same from an agent. That it was there, its heartbeat notes: a write less for each."""

    def find(self, token: str, *, address: str) -> Device | None:  # noqa: ARG002 (the base notes it)
        return tokens.find(token, now=timezone.now())


class ApplicationPassword(AuthBase):
    """HTTP Basic: e-mail address or login ID, and a password that opens the API."""

    openapi_type = "http"
    openapi_scheme = "basic"

    def __call__(self, request: HttpRequest) -> Caller | None:
        login, password = basic_login(request)
        if not login:
            return None
        address = visitor_of(request).address
        found = authenticate_program(login, password, scope=Scope.API, address=address)
        match found:
            case Principal(user=user, organisation=organisation, role=role):
                if User.objects.find(login) != user:
                    return None
                return Caller(user, organisation, role, person(user, address=address))
            case Blocked(seconds=seconds):
                wait = {"Retry-After": str(seconds)}
                raise Refused(429, "too_many_attempts", "Too many wrong passwords.", headers=wait)
            case EnrolmentRequired():
                told = "A second factor must be set up first."
                raise Refused(403, "mfa_enrolment_required", told)
            case None:
                return None


class BrowserSession(AuthBase):
    """The cookie of somebody who is logged in; what changes something needs the form's token."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "everboot-session"

    def __call__(self, request: HttpRequest) -> Caller | None:
        membership = cast(ConsoleRequest, request).membership
        if membership is None or check_csrf(request) is not None:
            return None
        actor = person(membership.user, address=visitor_of(request).address)
        return Caller(membership.user, membership.organisation, Role(membership.role), actor)


PEOPLE = (ApplicationPassword(), BrowserSession())
DEVICES = (DeviceToken(),)
AGENTS = (AgentToken(),)


def caller_of(request: HttpRequest) -> Caller:
    """Whom one of ``PEOPLE`` has found."""
    # django-ninja sets what it found on the request; Django's stubs cannot know.
    return cast(Caller, request.auth)  # type: ignore[attr-defined]


def device_of(request: HttpRequest) -> Device:
    """Which one of ``DEVICES`` or ``AGENTS`` has found."""
    # As above.
    return cast(Device, request.auth)  # type: ignore[attr-defined]
