"""How Django checks a name and a password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from console_ui.accounts.models import User


class PasswordBackend(BaseBackend):
    """E-mail address or login ID, and password. Second factors are not this one's business."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 (Django passes it by name)
        username: str | None = None,
        password: str | None = None,
        **_kwargs: Any,
    ) -> User | None:
        if not username or not password:
            return None
        user = User.objects.find(username)
        if user is None:
            # As much work as for a name that exists: time must not tell which names do.
            make_password(password)
            return None
        if not check_password(password, user.password) or not user.is_active:
            return None
        return user

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
