"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "console_ui.media"
    label = "media"
