"""``/oauth/…``: how devices are linked and get their tokens.

Three standards, as far as devices need them: RFC 8628 (device authorization grant), RFC 7523
(a signed assertion instead of a client secret) and RFC 6749 (how errors are told). No library:
those that were tried lose approvals, issue a second token for one code, or do not know how to
bind a code to a key, which is half of what stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backup_agent.errors import LinkError
from backup_agent.services.link.assertion import (
    ASSERTION_TYPE,
    PublicKey,
    decode_public_key,
    fingerprint,
)
from console_ui.accounts import throttle
from console_ui.accounts.visitor import visitor_of
from console_ui.devices import limits, linking, media_codes, proofs, tokens
from console_ui.devices.linking import Candidate, NotYet
from console_ui.devices.models import Device, Kind
from console_ui.django_settings import console_settings

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_CREDENTIALS_GRANT = "client_credentials"

_NAME_LENGTH = 100
_BAD_REQUEST, _UNAUTHORIZED, _TOO_MANY = 400, 401, 429


@csrf_exempt  # no cookie counts here: the caller signs its request
@require_POST
def device_authorization(request: HttpRequest) -> JsonResponse:
    """RFC 8628, 3.1. Beyond it: ``public_key``, a proof that the device holds the private one,
    ``device_name``, ``system`` and, from rescue media, ``media_code``.
    """
    now, address = timezone.now(), visitor_of(request).address
    if blocked := throttle.attempt(limits.NEW_REQUEST, address):
        return _too_many(blocked.seconds)
    try:
        key = decode_public_key(request.POST.get("public_key", ""))
    except LinkError:
        return _error("invalid_request", "public_key is no Ed25519 key.")
    scope = request.POST.get("scope", Kind.BACKUP)
    if scope not in Kind.values:
        return _error("invalid_scope", "There are backup and restore.")
    if request.POST.get("client_id") != fingerprint(key) or not _proved(request, key, now):
        return _not_proved(address)
    if Device.objects.filter(client_id=fingerprint(key)).exists():
        return _error("invalid_request", "This key was linked before; make a new one.")
    proofs.forget_old(now)
    candidate = Candidate(
        public_key=key,
        name=_line(request.POST.get("device_name", "")) or "?",
        system=_line(request.POST.get("system", "")),
        address=address,
        wish=Kind(scope),
        addressed_to=media_codes.resolve(request.POST.get("media_code", ""), now=now),
    )
    begun = linking.begin(candidate, now=now)
    return JsonResponse(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": f"{console_settings().public_address}/link",
            "expires_in": int(linking.CODE_LIFE.total_seconds()),
            "interval": begun.request.interval,
        }
    )


@csrf_exempt  # as above
@require_POST
def token(request: HttpRequest) -> JsonResponse:
    """RFC 8628, 3.4 for a device that is being linked; afterwards RFC 6749, 4.4."""
    grants: dict[str, Callable[[HttpRequest], JsonResponse]] = {
        DEVICE_CODE_GRANT: _by_device_code,
        CLIENT_CREDENTIALS_GRANT: _by_key,
    }
    if "grant_type" not in request.POST:
        return _error("invalid_request", "grant_type is missing.")
    grant = grants.get(request.POST["grant_type"])
    if grant is None:
        return _error("unsupported_grant_type", f"There are {' and '.join(grants)}.")
    return grant(request)


def _by_device_code(request: HttpRequest) -> JsonResponse:
    now, address = timezone.now(), visitor_of(request).address
    if not (code := request.POST.get("device_code", "")):
        return _error("invalid_request", "device_code is missing.")
    found = linking.find_by_device_code(code)
    if found is None:
        return _guessed(address) or _error("invalid_grant", "This code does not exist.")
    if not _proved(request, PublicKey(bytes(found.public_key)), now):
        return _not_proved(address)
    # The device and its first token are there together, or neither is.
    with transaction.atomic():
        became = linking.poll(found, address=address, now=now)
        if isinstance(became, Device):
            return _granted(became, now)
    return _not_yet(became)


def _by_key(request: HttpRequest) -> JsonResponse:
    now, address = timezone.now(), visitor_of(request).address
    device = (
        Device.objects.select_related("organisation")
        .filter(client_id=request.POST.get("client_id", ""))
        .first()
    )
    if device is None or not _proved(request, PublicKey(bytes(device.public_key)), now):
        return _not_proved(address)
    if not device.is_linked(now):
        return _error("access_denied", "This device is not linked any more.")
    proofs.forget_old(now)
    tokens.note_seen(device, address=address, now=now)
    return _granted(device, now)


def _proved(request: HttpRequest, key: PublicKey, now: datetime) -> bool:
    """Whether the request carries a fresh statement of the key's owner."""
    if request.POST.get("client_assertion_type") != ASSERTION_TYPE:
        return False
    # What the device calls us: our name, or the address that it reached us at. Django has
    # refused every other host already.
    audiences = (console_settings().public_address, f"{request.scheme}://{request.get_host()}")
    assertion = request.POST.get("client_assertion", "")
    return proofs.holds(assertion, key=key, audiences=audiences, now=now)


def _granted(device: Device, now: datetime) -> JsonResponse:
    return JsonResponse(
        {
            "access_token": tokens.issue(device, now=now),
            "token_type": "Bearer",
            "expires_in": int(tokens.LIFE.total_seconds()),
            "scope": device.kind,
            "device_id": str(device.pk),
            "device_name": device.name,
            "organisation": device.organisation.name,
        }
    )


def _not_yet(why: NotYet) -> JsonResponse:
    match why:
        case NotYet.PENDING:
            return _error(why.value, "Nobody has answered yet.")
        case NotYet.SLOW_DOWN:
            return _error(why.value, "Wait 5 seconds longer between two questions from now on.")
        case NotYet.REFUSED:
            return _error(why.value, "Somebody has refused this device.")
        case NotYet.EXPIRED:
            return _error(why.value, "The code has run out.")
        case NotYet.USED_UP:
            return _error(why.value, "This code has been redeemed.")
        case _:
            assert_never(why)


def _not_proved(address: str) -> JsonResponse:
    return _guessed(address) or _error(
        "invalid_client", "The proof does not hold, was used or is too old.", status=_UNAUTHORIZED
    )


def _guessed(address: str) -> JsonResponse | None:
    blocked = throttle.attempt(limits.BAD_PROOF, address)
    return _too_many(blocked.seconds) if blocked else None


def _too_many(seconds: int) -> JsonResponse:
    answer = _error(
        "temporarily_unavailable", "Too many requests from this address.", status=_TOO_MANY
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _error(code: str, description: str, *, status: int = _BAD_REQUEST) -> JsonResponse:
    return JsonResponse({"error": code, "error_description": description}, status=status)


def _line(text: str) -> str:
    """What a device calls itself, fit to be shown: one line, of bounded length."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_NAME_LENGTH]
