"""A person who logs in."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from console_ui.accounts import login_id


class UserManager(BaseUserManager["User"]):
    """Makes people, and finds them by what they type."""

    def create_user(self, *, email: str, name: str, password: str) -> User:
        """A new account with a login ID of its own. The password must have been checked."""
        user = self.model(email=email.strip().lower(), name=name.strip())
        while self.filter(login_id=user.login_id).exists():
            user.login_id = login_id.make()
        user.set_password(password)
        user.save(using=self._db)
        return user

    def account_of(self, typed: str) -> str:
        """One text for all spellings of all names of an account, also for one that is unknown."""
        if (user := self.find(typed)) is not None:
            return str(user.pk)
        return login_id.parse(typed) or typed.strip().lower()

    def find(self, typed: str) -> User | None:
        """The account with this e-mail address or login ID, if there is one."""
        if (alias := login_id.parse(typed)) is not None:
            return self.filter(login_id=alias).first()
        return self.filter(email=typed.strip().lower()).first()


class Theme(models.TextChoices):
    """Which colours somebody wants."""

    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractBaseUser):
    """An account. ``email`` is kept in lower case; ``login_id`` is its alias."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    login_id = models.CharField(max_length=14, unique=True, default=login_id.make)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    created_at = models.DateTimeField(auto_now_add=True)
    # When a recovery code was typed back; None while those that exist may be on no paper.
    kept_recovery_codes_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_any_case"),
        )

    def __str__(self) -> str:
        return self.email

    @property
    def has_second_factor(self) -> bool:
        return hasattr(self, "authenticator_app") or self.security_keys.exists()

    @property
    def must_have_second_factor(self) -> bool:
        """Whether an organisation of theirs requires one."""
        return self.memberships.filter(organisation__requires_second_factor=True).exists()
