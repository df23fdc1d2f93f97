"""``/api/v1/…`` about devices: JSON, for devices with their access tokens.

No cookie opens these, so no other site can have a browser send them.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from console_ui.accounts.throttle import Blocked
from console_ui.accounts.visitor import visitor_of
from console_ui.devices import linking, managed_passwords, tokens
from console_ui.devices.models import Device

_P = ParamSpec("_P")


def bearer_token(request: HttpRequest) -> str:
    """RFC 6750, 2.1; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def device_api(
    page: Callable[Concatenate[HttpRequest, Device, _P], JsonResponse],
) -> Callable[Concatenate[HttpRequest, _P], JsonResponse]:
    """For linked devices only; the page is told which one asks."""

    @csrf_exempt
    @wraps(page)
    def checked(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> JsonResponse:
        device = tokens.authenticate(bearer_token(request), address=visitor_of(request).address)
        if device is None:
            refused = refusal(401, "invalid_token")
            refused.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refused
        return page(request, device, *args, **kwargs)

    return checked


def basic_login(request: HttpRequest) -> tuple[str, str]:
    """RFC 7617; both empty where there is none."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        login, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password


@device_api
@require_http_methods(["GET", "DELETE"])
def this_device(request: HttpRequest, device: Device) -> JsonResponse:
    """Who the caller is; DELETE removes it: ``everboot link --unlink``."""
    if request.method == "DELETE":
        actor = linking.actor_of(device, address=visitor_of(request).address)
        linking.remove(device, actor=actor, now=timezone.now())
        return JsonResponse({})
    return JsonResponse(
        {
            **_public(device),
            "organisation": device.organisation.name,
            "managed_password": hasattr(device, "managed_password"),
        }
    )


@device_api
@require_safe
def managed_password(request: HttpRequest, device: Device, source_id: uuid.UUID) -> JsonResponse:
    """That of a vault which the caller may read."""
    source = Device.objects.of(device.organisation).filter(pk=source_id).first()
    address = visitor_of(request).address
    match managed_passwords.fetch(device, source, address=address) if source else None:
        case None:
            return refusal(404, "not_found")
        case Blocked(seconds=seconds):
            return too_many_attempts(seconds)
        case password:
            return JsonResponse({"password": password})


def _public(device: Device) -> dict[str, str | None]:
    return {
        "id": str(device.pk),
        "name": device.name,
        "system": device.system,
        "kind": device.kind,
        "key": device.short_key,
        "linked_at": device.linked_at.isoformat(),
        "seen_at": device.seen_at.isoformat() if device.seen_at else None,
        "expires_at": device.expires_at.isoformat() if device.expires_at else None,
    }


def refusal(status: int, code: str) -> JsonResponse:
    return JsonResponse({"code": code}, status=status)


def too_many_attempts(seconds: int) -> JsonResponse:
    refused = refusal(429, "too_many_attempts")
    refused.headers["Retry-After"] = str(seconds)
    return refused
