"""Addresses of the program's download."""

from __future__ import annotations

from django.urls import path

from console_ui.download import pages

urlpatterns = [
    path("download", pages.overview, name="download"),
    path("download/<str:name>", pages.file, name="download-file"),
]
