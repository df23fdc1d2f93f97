"""Django's handle on this package; here it begins to listen."""

from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "console_ui.alerts"
    label = "alerts"

    def ready(self) -> None:
        from console_ui.alerts import hearing

        hearing.begin()
