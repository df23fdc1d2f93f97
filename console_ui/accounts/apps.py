"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "console_ui.accounts"
    label = "accounts"
