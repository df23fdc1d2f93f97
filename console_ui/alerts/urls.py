"""Addresses of the pages about alerts."""

from __future__ import annotations

from django.urls import path

from console_ui.alerts.pages import alerts

urlpatterns = [
    path("alerts", alerts.overview, name="alerts"),
    path("alerts/seen", alerts.mark_seen, name="alerts-seen"),
    path("alerts/settings", alerts.settings, name="alert-settings"),
]
