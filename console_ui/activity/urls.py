"""Addresses of the pages about what devices do."""

from __future__ import annotations

from django.urls import path

from console_ui.activity.pages import devices, live

urlpatterns = [
    path("devices", devices.overview, name="devices"),
    path("devices/live", live.changes, name="devices-live"),
    path("devices/<uuid:device_id>", devices.one, name="device"),
    path("devices/<uuid:device_id>/ask", devices.ask, name="device-ask"),
]
