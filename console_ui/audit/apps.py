"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "console_ui.audit"
    label = "audit"
