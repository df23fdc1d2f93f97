"""Addresses of the devices' pages."""

from __future__ import annotations

from django.urls import path

from console_ui.devices import pages

urlpatterns = [
    path("devices", pages.overview, name="devices"),
]
