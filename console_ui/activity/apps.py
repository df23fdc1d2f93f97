"""Django's handle on this package; here it begins to listen."""

from __future__ import annotations

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "console_ui.activity"
    label = "activity"

    def ready(self) -> None:
        from console_ui.activity import reports

        reports.begin()
