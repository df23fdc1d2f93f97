"""Accepting an invitation: with a new account, or with the one that exists."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console_ui.accounts import login, secret_links
from console_ui.accounts.middleware import choose_organisation
from console_ui.accounts.models import Membership, Purpose, SecretLink, User
from console_ui.accounts.pages.new_person import TokenForm
from console_ui.accounts.request import ConsoleRequest, actor_of, person
from console_ui.accounts.throttle import is_news
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import Outcome, record


class InvitationForm(TokenForm):
    """Name and password of somebody new; ``email`` is known from the invitation."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 12 characters. Several words are easy to remember."),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    email = ""

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if isinstance(password := cleaned.get("password"), str):
            try:
                validate_password(password, User(email=self.email, name=str(cleaned.get("name"))))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


def invitation(request: ConsoleRequest) -> HttpResponseBase:
    """First the token, then what is still missing; the same address for both."""
    if request.method != "POST":
        return render(request, "accounts/link_token.html", {"form": TokenForm()})
    link = secret_links.find(Purpose.INVITATION, request.POST.get("token", ""))
    if link is None:
        _note_refusal(request)
        form = TokenForm(request.POST)
        form.add_error(None, _("The invitation is too old or was used. Ask for another one."))
        return render(request, "accounts/link_token.html", {"form": form}, status=403)
    invited = User.objects.find(link.email)
    if invited is not None:
        return _for_known(request, link, invited)
    return _for_new(request, link)


def _note_refusal(request: ConsoleRequest) -> None:
    """In the log of who invited, once an hour. Of a link that nobody ever made, there is none."""
    spent = secret_links.find_spent(Purpose.INVITATION, request.POST.get("token", ""))
    if spent is None or not is_news("invitation", str(spent.pk)):
        return
    record(
        "member.invitation_refused",
        by=actor_of(request),
        organisation_id=spent.organisation_id,
        about=spent.email,
        outcome=Outcome.REFUSED,
        details={"why": "used" if spent.used_at else "expired"},
    )


def _for_known(request: ConsoleRequest, link: SecretLink, invited: User) -> HttpResponseBase:
    me = request.person
    if me == invited and "accept" in request.POST:
        with transaction.atomic():
            if not secret_links.use_up(link):
                return redirect("invitation")
            _join(request, link, invited)
        return _in(request, link, invited)
    words = {"link": link, "token": request.POST["token"], "can_accept": me == invited}
    return render(request, "accounts/invitation_known.html", words)


def _for_new(request: ConsoleRequest, link: SecretLink) -> HttpResponseBase:
    # The first post brings only the token: nothing is wrong yet.
    form = InvitationForm(request.POST if "name" in request.POST else None)
    form.initial = {"token": request.POST["token"]}
    form.email = link.email
    if form.is_bound and form.is_valid():
        user = _new_member(request, link, form.cleaned_data)
        return redirect("invitation") if user is None else _in(request, link, user)
    return render(request, "accounts/invitation_new.html", {"form": form, "link": link})


def _new_member(request: ConsoleRequest, link: SecretLink, answers: dict[str, str]) -> User | None:
    """The account with its membership; None where the same invitation was accepted meanwhile, or
    another one made an account for this address.
    """
    try:
        with transaction.atomic():
            if not secret_links.use_up(link):
                return None
            user = User.objects.create_user(
                email=link.email, name=answers["name"], password=answers["password"]
            )
            _join(request, link, user)
    except IntegrityError:
        return None
    return user


def _join(request: ConsoleRequest, link: SecretLink, user: User) -> None:
    membership, _new = Membership.objects.get_or_create(
        user=user, organisation=link.organisation, defaults={"role": link.role}
    )
    record(
        "member.joined",
        by=person(user, address=visitor_of(request).address),
        organisation_id=membership.organisation_id,
        about=user.email,
        details={"role": membership.role},
    )


def _in(request: ConsoleRequest, link: SecretLink, user: User) -> HttpResponseBase:
    if request.person is None:
        login.finish(request, user, by="password")
    choose_organisation(request, user.memberships.get(organisation=link.organisation))
    return redirect("devices")
