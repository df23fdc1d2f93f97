"""``/locations``: where vaults are kept."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import Outcome, record
from console_ui.storage.locations import (
    secrets_to_give_again,
    set_fields,
    shown_address,
    try_connection,
)
from console_ui.storage.models import Location, LocationKind
from console_ui.storage.pages.location_forms import LocationForm, form_of, initial_of

_OWN_COLUMNS = frozenset({"name", "gives_read_addresses"})


@member_page(Role.ADMIN)
def overview(request: MemberRequest) -> HttpResponseBase:
    locations = [
        {"row": location, "address": shown_address(location), "vaults": location.vaults.count()}
        for location in Location.objects.of(request.organisation)
    ]
    words = {"section": "locations", "locations": locations, "kinds": LocationKind}
    return render(request, "storage/locations.html", words)


@confirmed_page
@member_page(Role.ADMIN)
def add(request: MemberRequest, kind: str) -> HttpResponseBase:
    if kind not in LocationKind.values:
        raise Http404
    return _edit(request, Location(organisation=request.organisation, kind=kind), "added")


@confirmed_page
@member_page(Role.ADMIN)
def edit(request: MemberRequest, location_id: uuid.UUID) -> HttpResponseBase:
    location = get_owned_or_404(Location.objects.all(), request.organisation, location_id)
    return _edit(request, location, "changed")


@require_POST
@member_page(Role.ADMIN)
def test(request: MemberRequest, location_id: uuid.UUID) -> HttpResponseBase:
    """Try to write, read, list and delete there."""
    location = get_owned_or_404(Location.objects.all(), request.organisation, location_id)
    _try(request, location)
    return redirect("locations")


@require_POST
@confirmed_page
@member_page(Role.ADMIN)
def remove(request: MemberRequest, location_id: uuid.UUID) -> HttpResponseBase:
    """Forget a location without vaults; nothing that lies there is touched."""
    location = get_owned_or_404(Location.objects.all(), request.organisation, location_id)
    if location.vaults.exists():
        messages.error(request, _("Vaults are kept there: the location cannot be removed."))
        return redirect("locations")
    _note(request, location, "removed")
    location.delete()
    messages.success(request, _("The location is forgotten. What lies there was not touched."))
    return redirect("locations")


def _edit(request: MemberRequest, location: Location, verb: str) -> HttpResponseBase:
    form = form_of(LocationKind(location.kind))(
        request.POST or None,
        initial=initial_of(location),
        label_suffix="",
        is_new=verb == "added",
    )
    if request.method == "POST" and form.is_valid() and _save(request, location, form, verb):
        _try(request, location)
        return redirect("locations")
    words = {
        "section": "locations",
        "form": form,
        "location": location,
        "is_new": verb == "added",
    }
    return render(request, "storage/location.html", words)


def _save(request: MemberRequest, location: Location, form: LocationForm, verb: str) -> bool:
    """False when another location has the name, or a secret is missing."""
    given = form.cleaned_data
    fields = {k: v for k, v in given.items() if k not in _OWN_COLUMNS}
    if missing := secrets_to_give_again(location, fields):
        for secret in missing:
            form.add_error(secret, _("Server or user have changed: give the secret again."))
        return False
    location.name = given["name"]
    location.gives_read_addresses = given.get("gives_read_addresses", False)
    set_fields(location, fields)
    try:
        with transaction.atomic():
            location.save()
            _note(request, location, verb)
    except IntegrityError:
        form.add_error("name", _("Another location has this name."))
        return False
    return True


def _try(request: MemberRequest, location: Location) -> None:
    failure = try_connection(location)
    _note(request, location, "tested", Outcome.FAILED if failure else Outcome.DONE)
    if failure is None:
        messages.success(request, _("The connection to %(name)s works.") % {"name": location.name})
    else:
        messages.error(request, f"{failure.message} {failure.hint}".strip())


def _note(
    request: MemberRequest, location: Location, verb: str, outcome: Outcome = Outcome.DONE
) -> None:
    record(
        f"storage_location.{verb}",
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=location.name,
        outcome=outcome,
        details={"kind": location.kind, "address": shown_address(location)},
    )
