"""All second factors of somebody at once: taking them away, and what goes with them."""

from __future__ import annotations

from django.db import transaction

from console_ui.accounts.models import (
    AuthenticatorApp,
    RecoveryCode,
    SecurityKey,
    SessionRow,
    TrustedBrowser,
    User,
)


def remove_app(user: User) -> None:
    """Unlink the app; with the last factor everything that stood in for it goes, too."""
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        _forget_stand_ins(user)


def remove_key(key: SecurityKey) -> None:
    with transaction.atomic():
        user = key.user
        key.delete()
        _forget_stand_ins(user)


def reset(user: User) -> None:
    """An administrator's way: no factor, no trusted browser, no session is left."""
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        SecurityKey.objects.filter(user=user).delete()
        _forget_stand_ins(user)
        SessionRow.objects.filter(user=user).delete()


def _forget_stand_ins(user: User) -> None:
    """Trust was given to the old factors: it ends with any of them."""
    TrustedBrowser.objects.filter(user=user).delete()
    if not User.objects.get(pk=user.pk).has_second_factor:
        RecoveryCode.objects.filter(user=user).delete()
        User.objects.filter(pk=user.pk).update(kept_recovery_codes_at=None)
