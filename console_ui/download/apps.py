"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class DownloadConfig(AppConfig):
    name = "console_ui.download"
    label = "download"
