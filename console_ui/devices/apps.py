"""Django's handle on this package."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "console_ui.devices"
    label = "devices"
