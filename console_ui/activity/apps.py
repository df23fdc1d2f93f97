"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "console_ui.activity"
    label = "activity"
