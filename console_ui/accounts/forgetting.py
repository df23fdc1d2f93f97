"""What strangers can make grow goes again: rows that count for nothing any more.

Part of the housekeeping, every few minutes: an attack must not fill the database until somebody
happens to restart the console.
"""

from __future__ import annotations

from django.utils import timezone

from console_ui.accounts import throttle
from console_ui.accounts.models import SecretLink, TrustedBrowser
from console_ui.accounts.sessions import SessionStore


def forget_old() -> None:
    """Delete counters, sessions, links and trust whose time is over."""
    throttle.forget_old()
    SessionStore.clear_expired()
    now = timezone.now()
    SecretLink.objects.filter(expires_at__lt=now).delete()
    TrustedBrowser.objects.filter(expires_at__lt=now).delete()
