"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "console_ui.web"
    label = "web"
