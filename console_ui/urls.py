"""Every address of the console."""

from __future__ import annotations

from django.urls import include, path

from console_ui.media.pages import media_codes
from console_ui.web import assets, failures

handler400 = failures.bad_request
handler403 = failures.not_allowed
handler404 = failures.not_found
handler500 = failures.broken

urlpatterns = [
    path("static/<str:version>/<path:name>", assets.serve, name="asset"),
    path("", include("console_ui.accounts.urls")),
    path("", include("console_ui.devices.urls")),
    path("", include("console_ui.storage.urls")),
    path("", include("console_ui.restore.urls")),
    path("", include("console_ui.activity.urls")),
    path("", include("console_ui.alerts.urls")),
    path("", include("console_ui.download.urls")),
    path("api/v1/", include("console_ui.api.application")),
    path("media", media_codes.media, name="media"),
]
