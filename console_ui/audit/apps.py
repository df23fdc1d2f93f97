"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from console_ui.audit.append_only import guard_after_migration


class AuditConfig(AppConfig):
    name = "console_ui.audit"
    label = "audit"

    def ready(self) -> None:
        post_migrate.connect(guard_after_migration, sender=self)
