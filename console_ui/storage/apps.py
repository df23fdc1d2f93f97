"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "console_ui.storage"
    label = "storage"
