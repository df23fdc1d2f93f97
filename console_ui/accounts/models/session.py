"""A browser's session, as its owner sees it in the list of sessions."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from console_ui.accounts.models.user import User


class SessionRow(AbstractBaseSession):
    """``session_key`` holds the hash of what the cookie holds: see ``accounts.sessions``."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now=True)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "accounts_session"

    def __str__(self) -> str:
        return f"session of {self.user_id}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from console_ui.accounts.sessions import SessionStore

        return SessionStore
