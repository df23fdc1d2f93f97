"""Addresses of the account pages."""

from __future__ import annotations

from django.urls import path

from console_ui.accounts.pages import login

urlpatterns = [
    path("", login.login, name="login"),
]
