"""Forgotten passwords, and new ones. None of this touches the second factor."""

from __future__ import annotations

from functools import partial

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console_ui.accounts import secret_links, throttle
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note, note_by
from console_ui.accounts.models import Purpose, TrustedBrowser, User
from console_ui.accounts.notices import new_password as mail_new_password
from console_ui.accounts.notices import security_change
from console_ui.accounts.pages.new_person import PasswordForm
from console_ui.accounts.request import UserRequest, person
from console_ui.accounts.visitor import visitor_of
from console_ui.accounts.waiting import waiting_words
from console_ui.web.afterwards import do_afterwards

_TOO_MANY = 429


class ForgottenForm(forms.Form):
    """Whose password is lost."""

    name = forms.CharField(
        label=gettext_lazy("E-mail or login ID"),
        max_length=254,
        widget=forms.TextInput({"autocomplete": "username", "autofocus": True}),
    )


class ChangeForm(forms.Form):
    """A new password for somebody who is logged in and has just proved it."""

    password = forms.CharField(
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("At least 12 characters. Several words are easy to remember."),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


def forgotten(request: HttpRequest) -> HttpResponseBase:
    """Says the same, in the same time, whether the account exists or not."""
    form = ForgottenForm(request.POST or None)
    sent, status = False, 200
    if request.method == "POST" and form.is_valid():
        address = visitor_of(request).address
        if blocked := throttle.attempt(throttle.FORGOTTEN_ADDRESS, address):
            form.add_error(None, waiting_words(blocked.seconds))
            status = _TOO_MANY
        else:
            sent = True
            do_afterwards(partial(_mail_link, form.cleaned_data["name"], address))
    words = {"form": form, "sent": sent}
    return render(request, "accounts/password_forgotten.html", words, status=status)


@transaction.atomic
def _mail_link(typed: str, address: str) -> None:
    user = User.objects.find(typed)
    # Nobody's mailbox is filled by strangers.
    if user is None or not user.is_active or throttle.attempt(throttle.MAIL, f"password {user.pk}"):
        return
    link = secret_links.make(Purpose.NEW_PASSWORD, user=user, email=user.email)
    mail_new_password(user, link=link)
    note_by(person(user, address=address), "password.link_mailed")


def new_password(request: HttpRequest) -> HttpResponseBase:
    """Behind the mailed link. Afterwards people log in as ever, second factor and all."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST":
        link = secret_links.find(Purpose.NEW_PASSWORD, request.POST.get("token", ""))
        form.person = link.user if link else None
        if form.is_valid():
            if link is not None and link.user is not None and secret_links.use_up(link):
                _set(request, link.user, form.cleaned_data["password"])
                messages.success(request, _("The new password is set. Log in with it."))
                return redirect("login")
            form.add_error(None, _("The link is too old or was used. Ask for another one."))
    return render(request, "accounts/password_new.html", {"form": form})


@confirmed_page
def change(request: UserRequest) -> HttpResponseBase:
    form = ChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            validate_password(form.cleaned_data["password"], request.user)
        except forms.ValidationError as error:
            form.add_error("password", error)
        else:
            _set(request, request.user, form.cleaned_data["password"])
            update_session_auth_hash(request, request.user)
            messages.success(request, _("The new password is set. Other sessions have ended."))
            return redirect("account")
    return render(request, "accounts/password_change.html", {"form": form})


@transaction.atomic
def _set(request: HttpRequest, user: User, password: str) -> None:
    """Every other session ends, because sessions are bound to the password's hash; links that
    were mailed before work no more.
    """
    user.set_password(password)
    user.save(update_fields=["password"])
    TrustedBrowser.objects.filter(user=user).delete()
    secret_links.withdraw_of(user)
    note(request, "password.changed", by=person(user, address=visitor_of(request).address))
    security_change(user, _("The password was changed."), visitor_of(request))
