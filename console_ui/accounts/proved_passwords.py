"""Account passwords that programs have just proved.

A program sends its password with every request, restic thousands of them; looking each time
would take a slow hash each time. What is kept, for a minute and in memory only, is a keyed hash
over password and account as it is now: a new password ends it at once.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time

from console_ui.accounts.models import User

_SECONDS = 60.0
_MOST = 1000
_key = secrets.token_bytes(32)
_lock = threading.Lock()
_until: dict[bytes, float] = {}


def remember(user: User, password: str) -> None:
    """The password was found to be right just now."""
    now = time.monotonic()
    with _lock:
        for over in [each for each, until in _until.items() if until <= now]:
            del _until[over]
        if len(_until) < _MOST:
            _until[_digest(user, password)] = now + _SECONDS


def is_proved(user: User, password: str) -> bool:
    """Whether this was right within the last minute."""
    with _lock:
        return _until.get(_digest(user, password), 0.0) > time.monotonic()


def _digest(user: User, password: str) -> bytes:
    state = f"{user.pk}\0{user.password}\0{password}"
    return hmac.digest(_key, state.encode(), "sha256")
