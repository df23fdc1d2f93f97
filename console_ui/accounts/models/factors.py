"""Second factors, and what stands in for them: recovery codes and trusted browsers."""

from __future__ import annotations

import uuid

from django.db import models

from console_ui.accounts.models.user import User


class AuthenticatorApp(models.Model):
    """The seed that the app on somebody's phone makes codes from (RFC 6238).

    ``last_step`` is the 30-second step of the last code that was accepted: only later ones are.
    ``told_steps`` are steps yet to come whose codes were told to be right, but early: never good.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="authenticator_app", primary_key=True
    )
    sealed_seed = models.BinaryField()
    last_step = models.BigIntegerField()
    told_steps = models.JSONField(default=list)
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class SecurityKey(models.Model):
    """A WebAuthn credential: a security key, or a passkey in a phone or computer.

    ``verifies_person``: it asked for PIN, finger or face when it was added, so that it may stand
    for the password, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="security_keys")
    name = models.CharField(max_length=60)
    credential_id = models.TextField(unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    verifies_person = models.BooleanField(default=False)
    added_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("added_at",)

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """One of ten; ``selector`` are its first characters, ``hash`` is Argon2id of the rest."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    number = models.PositiveSmallIntegerField()
    selector = models.CharField(max_length=4)
    hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("user", "selector"), name="accounts_recovery_selector"),
        )

    def __str__(self) -> str:
        return f"recovery code {self.number} of {self.user_id}"


class TrustedBrowser(models.Model):
    """A browser that is not asked for the second factor; its cookie holds the token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="trusted_browsers")
    token_hash = models.CharField(max_length=64, unique=True)
    browser = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-added_at",)

    def __str__(self) -> str:
        return f"trusted browser of {self.user_id}"
