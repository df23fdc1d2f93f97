"""Security keys and passkeys: WebAuthn ceremonies, from challenge to verified answer.

A challenge lies in the session, is good for five minutes and for one answer. The page hands it
to the browser and posts what comes back; both are JSON as the WebAuthn standard writes it.
"""

from __future__ import annotations

import json
import time
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from console_ui.accounts.models import SecurityKey, User
from console_ui.django_settings import console_settings

_CHALLENGE_KEY = "passkey_challenge"
_CHALLENGE_SECONDS = 300
_KNOWN_TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)


def options_for_adding(request: HttpRequest, user: User) -> str:
    """JSON for ``navigator.credentials.create``."""
    options = generate_registration_options(
        rp_id=console_settings().host,
        rp_name="Everboot",
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=user.name,
        exclude_credentials=_descriptors(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    _remember(request, options.challenge)
    return options_to_json(options)


def add(request: HttpRequest, user: User, *, name: str, answer: str) -> SecurityKey | None:
    """Keep the key that answered; None when the answer does not hold."""
    challenge, credential = _challenge(request), _parsed(answer)
    if challenge is None or credential is None:
        return None
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=console_settings().host,
            expected_origin=console_settings().public_address,
        )
    except WebAuthnException:
        return None
    credential_id = bytes_to_base64url(verified.credential_id)
    if SecurityKey.objects.filter(credential_id=credential_id).exists():
        return None
    told = credential.get("response", {}).get("transports") or []
    return SecurityKey.objects.create(
        user=user,
        name=name,
        credential_id=credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=[name for name in told if name in _KNOWN_TRANSPORTS],
        verifies_person=verified.user_verified,
    )


def options_for_proving(request: HttpRequest, user: User | None) -> str:
    """JSON for ``navigator.credentials.get``.

    Without ``user`` the passkey says who it is, and must check the person.
    """
    alone = user is None
    options = generate_authentication_options(
        rp_id=console_settings().host,
        allow_credentials=None if user is None else _descriptors(user),
        user_verification=UserVerificationRequirement.REQUIRED
        if alone
        else UserVerificationRequirement.PREFERRED,
    )
    _remember(request, options.challenge)
    return options_to_json(options)


def prove(request: HttpRequest, user: User | None, *, answer: str) -> SecurityKey | None:
    """The key that answered; None when the answer does not hold, or is not the user's.

    Without ``user`` it stands for the password, too: only one that checked the person does.
    """
    challenge, credential = _challenge(request), _parsed(answer)
    if challenge is None or credential is None:
        return None
    key = SecurityKey.objects.filter(
        credential_id=credential.get("id"), user__is_active=True
    ).first()
    if key is None or (user is not None and key.user_id != user.pk):
        return None
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=console_settings().host,
            expected_origin=console_settings().public_address,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=user is None,
        )
    except WebAuthnException:
        return None
    # A count that moved meanwhile means that somebody else used a copy of the key.
    moved = SecurityKey.objects.filter(pk=key.pk, sign_count=key.sign_count).update(
        sign_count=verified.new_sign_count, used_at=timezone.now()
    )
    return key if moved else None


def _descriptors(user: User) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(key.credential_id),
            transports=[AuthenticatorTransport(name) for name in key.transports],
        )
        for key in user.security_keys.all()
    ]


def _remember(request: HttpRequest, challenge: bytes) -> None:
    request.session[_CHALLENGE_KEY] = [bytes_to_base64url(challenge), time.time()]


def _challenge(request: HttpRequest) -> bytes | None:
    """The challenge of this session, once, and not for long."""
    encoded, made_at = request.session.pop(_CHALLENGE_KEY, (None, 0.0))
    if encoded is None or time.time() - made_at > _CHALLENGE_SECONDS:
        return None
    return base64url_to_bytes(encoded)


def _parsed(answer: str) -> dict[str, Any] | None:
    try:
        credential = json.loads(answer)
    except ValueError:
        return None
    return credential if isinstance(credential, dict) else None
