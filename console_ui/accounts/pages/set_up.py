"""A new organisation and its first owner: the first page of a console's life, and later whenever
whoever runs the console has made a link.
"""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from console_ui.accounts import login, secret_links
from console_ui.accounts.models import Membership, Organisation, Purpose, Role, User
from console_ui.accounts.pages.new_person import TokenForm
from console_ui.accounts.request import person
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import record


class SetUpForm(TokenForm):
    """Everything the first owner says about themselves."""

    field_order = ("token", "organisation", "name", "email", "password")

    organisation = forms.CharField(label=_("Organisation"), max_length=100)
    name = forms.CharField(
        label=_("Your name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("For logging in, and for news about the safety of your account."),
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters. Several words are easy to remember."),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        password, email = cleaned.get("password"), cleaned.get("email")
        if isinstance(password, str) and isinstance(email, str):
            unsaved = User(email=email, name=str(cleaned.get("name", "")))
            try:
                validate_password(password, unsaved)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


def set_up(request: HttpRequest) -> HttpResponseBase:
    is_first = not User.objects.exists()
    if not (is_first or secret_links.is_any_open(Purpose.SET_UP)):
        raise Http404
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (owner := _make(request, form)):
        login.finish(request, owner, by="password")
        return redirect("second-factor")
    return render(request, "accounts/set_up.html", {"form": form, "is_first": is_first})


def _make(request: HttpRequest, form: SetUpForm) -> User | None:
    """The owner, or None and what is wrong in the form."""
    link = secret_links.find(Purpose.SET_UP, form.cleaned_data["token"])
    try:
        with transaction.atomic():
            if link is not None and secret_links.use_up(link):
                return _first_owner(request, form)
    except IntegrityError:
        # Only who has a link learns this.
        form.add_error("email", _("There is an account with this address already. Take another."))
        return None
    form.add_error(None, _("The link is too old or was used. A new one comes from the terminal."))
    return None


def _first_owner(request: HttpRequest, form: SetUpForm) -> User:
    answers = form.cleaned_data
    organisation = Organisation.objects.create(name=answers["organisation"])
    owner = User.objects.create_user(
        email=answers["email"], name=answers["name"], password=answers["password"]
    )
    Membership.objects.create(user=owner, organisation=organisation, role=Role.OWNER)
    record(
        "organisation.created",
        by=person(owner, address=visitor_of(request).address),
        organisation_id=organisation.pk,
        about=organisation.name,
    )
    return owner
