"""``/account/application-passwords``: passwords for programs."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console_ui.accounts import application_passwords
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import ApplicationPassword, Scope
from console_ui.accounts.notices import security_change
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import record


class NewPasswordForm(forms.Form):
    """What it is for."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("The program and the computer, for instance: restic on NAS."),
        max_length=60,
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it opens"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.STORAGE],
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("How long"),
        coerce=int,
        choices=[
            (0, gettext_lazy("Until it is revoked")),
            (30, gettext_lazy("30 days")),
            (365, gettext_lazy("A year")),
        ],
    )


@member_page()
def listing(request: MemberRequest) -> HttpResponseBase:
    words = {"section": "account", "passwords": _mine(request)}
    return render(request, "accounts/application_passwords.html", words)


@confirmed_page
@member_page()
def make(request: MemberRequest) -> HttpResponseBase:
    """The password stands in the answer to the form, and nowhere else, ever."""
    form = NewPasswordForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        words = {"section": "account", "form": form}
        return render(request, "accounts/application_password_make.html", words)
    answers = form.cleaned_data
    days = answers["days"]
    row, password = application_passwords.make(
        request.user,
        request.organisation,
        name=answers["name"],
        scopes=[Scope(name) for name in answers["scopes"]],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    _note(request, "application_password.made", row.name)
    what = _("An application password was made: %(name)s.") % {"name": row.name}
    security_change(request.user, what, visitor_of(request))
    words = {"section": "account", "row": row, "password": password}
    return render(request, "accounts/application_password_made.html", words)


@require_POST
@member_page()
def revoke(request: MemberRequest, password_id: str) -> HttpResponseBase:
    row = _mine(request).filter(pk=password_id).first()
    if row is None:
        raise Http404
    application_passwords.revoke([row])
    _note(request, "application_password.revoked", row.name)
    messages.success(request, _("%(name)s opens nothing any more.") % {"name": row.name})
    return redirect("application-passwords")


@require_POST
@member_page()
def revoke_all(request: MemberRequest) -> HttpResponseBase:
    application_passwords.revoke(list(_mine(request)))
    _note(request, "application_password.all_revoked", "")
    messages.success(request, _("All application passwords are revoked."))
    return redirect("application-passwords")


def _mine(request: MemberRequest) -> QuerySet[ApplicationPassword]:
    return ApplicationPassword.objects.filter(
        user=request.user, organisation=request.organisation, revoked_at=None
    )


def _note(request: MemberRequest, action: str, about: str) -> None:
    record(action, by=actor_of(request), organisation_id=request.organisation.pk, about=about)
