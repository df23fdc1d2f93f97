"""What the pages behind secret links share: the token's form, and the rules for passwords."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from console_ui.accounts.models import User


class TokenForm(forms.Form):
    """A form behind a secret link; the page's script fills the token in."""

    token = forms.CharField(
        label=_("The part of the link behind #"),
        max_length=100,
        widget=forms.TextInput({"data-from-fragment": "", "autocomplete": "off"}),
    )


class PasswordForm(TokenForm):
    """A new password for somebody who is known: for ``person``, whom the link names."""

    password = forms.CharField(
        label=_("New password"),
        help_text=_("At least 12 characters. Several words are easy to remember."),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    person: User | None = None

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.person)
        return password
