"""What every template may name besides what its page gives it."""

from __future__ import annotations

from django.http import HttpRequest

from console_ui.django_settings import console_settings


def account(request: HttpRequest) -> dict[str, object]:
    """``membership`` (or None) and the host name of this console."""
    return {
        "membership": getattr(request, "membership", None),
        "console_host": console_settings().host,
    }
