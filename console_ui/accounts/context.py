"""What every template may name besides what its page gives it."""

from __future__ import annotations

from django.http import HttpRequest

from console_ui.accounts.models import Membership, Role
from console_ui.accounts.notices import undelivered
from console_ui.django_settings import console_settings


def account(request: HttpRequest) -> dict[str, object]:
    """``membership`` (or None), whether it is an administrator's, and where this console is."""
    membership: Membership | None = getattr(request, "membership", None)
    return {
        "membership": membership,
        "is_admin": membership is not None and membership.may(Role.ADMIN),
        # Called by the template, so only where it is shown.
        "undelivered_mails": lambda: (
            membership is not None and undelivered(membership.organisation).exists()
        ),
        "console_host": console_settings().host,
        "console_address": console_settings().public_address,
    }
