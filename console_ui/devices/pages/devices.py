"""What can be done to one device. The list of them is a page of ``activity``."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.devices import linking
from console_ui.devices.models import Device

_NAME_LENGTH = 100


@member_page(Role.OPERATOR)
def rename(request: MemberRequest, device_id: str) -> HttpResponseBase:
    device = get_owned_or_404(
        Device.objects.linked(timezone.now()), request.organisation, device_id
    )
    name = " ".join(request.POST.get("name", "").split())[:_NAME_LENGTH]
    if request.method != "POST" or not name:
        words = {"section": "devices", "device": device}
        return render(request, "devices/rename.html", words)
    with transaction.atomic():
        Device.objects.filter(pk=device.pk).update(name=name)
        record(
            "device.renamed",
            by=actor_of(request),
            organisation_id=request.organisation.pk,
            about=name,
            details={"before": device.name},
        )
    return redirect("devices")


@require_POST
@confirmed_page
@member_page(Role.OPERATOR)
def remove(request: MemberRequest, device_id: str) -> HttpResponseBase:
    """It reaches nothing any more."""
    device = get_owned_or_404(
        Device.objects.linked(timezone.now()), request.organisation, device_id
    )
    linking.remove(device, actor=actor_of(request), now=timezone.now())
    messages.success(
        request,
        _("%(name)s reaches nothing any more. What it has backed up is still there.")
        % {"name": device.name},
    )
    return redirect("devices")
