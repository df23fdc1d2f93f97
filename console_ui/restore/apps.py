"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class RestoreConfig(AppConfig):
    name = "console_ui.restore"
    label = "restore"
