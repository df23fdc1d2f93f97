"""Addresses of the devices' pages and of their tokens."""

from __future__ import annotations

from django.urls import path

from console_ui.devices import oauth
from console_ui.devices.pages import devices, link

urlpatterns = [
    path("devices/<uuid:device_id>/rename", devices.rename, name="device-rename"),
    path("devices/<uuid:device_id>/remove", devices.remove, name="device-remove"),
    path("ui/", link.fragment_door, name="fragment-door"),
    path("link", link.enter_code, name="link"),
    path("link/answer", link.answer, name="link-answer"),
    path("oauth/device_authorization", oauth.device_authorization, name="device-authorization"),
    path("oauth/token", oauth.token, name="token"),
]
