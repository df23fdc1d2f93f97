"""Django's entry for this part of the console."""

from __future__ import annotations

from django.apps import AppConfig


class RestoreConfig(AppConfig):
    name = "console_ui.restore"
    label = "restore"

    def ready(self) -> None:
        from console_ui.restore import unlocking

        unlocking.watch_sessions()
