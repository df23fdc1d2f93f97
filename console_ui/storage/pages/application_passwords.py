"""``/account/application-passwords``: passwords for programs, and which vaults each is for."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from backup_agent.errors import StorageError
from console_ui.accounts import application_passwords
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import ApplicationPassword, Organisation, Reach, Role, Scope
from console_ui.accounts.notices import security_change
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import record
from console_ui.devices.models import Device, Kind
from console_ui.storage.device_vaults import own_vault
from console_ui.storage.models import Location, Vault


class NewPasswordForm(forms.Form):
    """What it is for."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("The program and the computer, for instance: restic on NAS."),
        max_length=60,
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("What it opens"),
        choices=Scope.choices,
        widget=forms.RadioSelect,
        initial=Scope.STORAGE,
    )
    vaults = forms.MultipleChoiceField(
        label=gettext_lazy("Which vaults, if it opens backups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
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

    def __init__(self, *args: Any, targets: dict[uuid.UUID, str], **options: Any) -> None:
        super().__init__(*args, **options)
        vaults = self.fields["vaults"]
        assert isinstance(vaults, forms.MultipleChoiceField)
        if not targets:
            self.fields["scope"].initial = Scope.API
        vaults.choices = [(str(target), name) for target, name in targets.items()]

    def clean(self) -> dict[str, Any]:
        answers = dict(super().clean() or {})
        if answers.get("scope") == Scope.API:
            answers["vaults"] = []
        elif not answers.get("vaults") and not self.has_error("vaults"):
            self.add_error("vaults", _("Choose at least one vault."))
        return answers


@member_page()
def listing(request: MemberRequest) -> HttpResponseBase:
    """Each with the names of the vaults that it opens."""
    names = _targets(request.organisation)
    reaches = Prefetch("reaches", Reach.objects.filter(target_id__in=names))
    words = {
        "section": "account",
        "passwords": [
            (row, sorted(names[each.target_id] for each in row.reaches.all()))
            for row in _mine(request).prefetch_related(reaches)
        ],
    }
    return render(request, "accounts/application_passwords.html", words)


@confirmed_page
@member_page()
def make(request: MemberRequest) -> HttpResponseBase:
    """The password stands in the answer to the form, and nowhere else, ever."""
    may_open = request.membership.may(Role.OPERATOR)
    targets = _targets(request.organisation) if may_open else {}
    form = NewPasswordForm(request.POST or None, targets=targets)
    if request.method != "POST" or not form.is_valid() or not _are_made(form, request):
        words = {"section": "account", "form": form}
        return render(request, "accounts/application_password_make.html", words)
    answers = form.cleaned_data
    days, scope = answers["days"], Scope(answers["scope"])
    reaches = [uuid.UUID(each) for each in answers["vaults"]]
    with transaction.atomic():
        row, password = application_passwords.make(
            request.user,
            request.organisation,
            name=answers["name"],
            scopes=[scope],
            reaches=reaches,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        opened = ", ".join(targets[each] for each in reaches)
        _note(request, "application_password.made", row.name, scope=scope.value, vaults=opened)
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


def _targets(organisation: Organisation) -> dict[uuid.UUID, str]:
    """What a password can be made for, and its name. A linked device's vault goes by the device,
    so that the password ends with it; after that the vault can be opened as itself.
    """
    linked = set(_linked(organisation).values_list("pk", flat=True))
    targets = {
        vault.device_id if vault.device_id in linked else vault.pk: vault.name
        for vault in Vault.objects.of(organisation)
    }
    if Location.objects.of(organisation).exists():
        # Those that have not asked for their vault yet can have it, too.
        for device in _linked(organisation).filter(kind=Kind.BACKUP):
            targets.setdefault(device.pk, device.name)
    return targets


def _linked(organisation: Organisation) -> QuerySet[Device]:
    return Device.objects.linked(timezone.now()).of(organisation)


def _are_made(form: NewPasswordForm, request: MemberRequest) -> bool:
    """Whether all chosen vaults are there, those of devices now made if need be."""
    for device in _linked(request.organisation).filter(pk__in=form.cleaned_data["vaults"]):
        try:
            own_vault(device, actor=actor_of(request))
        except StorageError as exc:
            form.add_error("vaults", f"{exc.message} {exc.hint}".strip())
            return False
    return True


def _note(request: MemberRequest, action: str, about: str, **details: str) -> None:
    record(
        action,
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=about,
        details=details,
    )
