"""Secrets that a page shows once: kept sealed in the session until the person has them.

A reload or a mistyped answer must not lose them, and the session table must not show them.
"""

from __future__ import annotations

import base64
import json

from django.http import HttpRequest

from backup_agent.errors import IntegrityError
from console_ui.sealing import seal, unseal


def keep(request: HttpRequest, name: str, secrets: list[str]) -> None:
    sealed = seal(json.dumps(secrets).encode(), context=_context(request, name))
    request.session[_key(name)] = base64.b64encode(sealed).decode()


def look(request: HttpRequest, name: str) -> list[str] | None:
    """What was kept under this name in this session; None when there is nothing (any more)."""
    encoded = request.session.get(_key(name))
    if encoded is None:
        return None
    try:
        opened = unseal(base64.b64decode(encoded), context=_context(request, name))
    except IntegrityError:
        return None
    return [str(secret) for secret in json.loads(opened)]


def forget(request: HttpRequest, name: str) -> None:
    request.session.pop(_key(name), None)


def _key(name: str) -> str:
    return f"shown_once_{name}"


def _context(request: HttpRequest, name: str) -> str:
    return f"shown-once:{name}:{request.user.pk}"
