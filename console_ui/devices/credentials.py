"""What a request brings in its ``Authorization`` header."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest


def bearer_token(request: HttpRequest) -> str:
    """RFC 6750, 2.1; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


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
