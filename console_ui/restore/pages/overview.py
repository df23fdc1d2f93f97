"""``/devices/<id>/restore``: the restore points, and the ways to get something back."""

from __future__ import annotations

import uuid

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from backup_agent.errors import EverbootError
from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest
from console_ui.devices.managed_passwords import kept_for
from console_ui.devices.models import Device
from console_ui.restore import unlocking, vault_points
from console_ui.restore.pages.visit import Visit, visit
from console_ui.storage.models import Vault
from console_ui.unlocked.asking import VaultLockedError


@require_safe
@member_page(Role.OPERATOR)
def of_device(request: MemberRequest, device_id: uuid.UUID) -> HttpResponseBase:
    """A removed device's, too: that is what one restores after a theft."""
    device = get_owned_or_404(Device.objects.all(), request.organisation, device_id)
    vault = Vault.objects.of(request.organisation).filter(device_id=device.pk).first()
    if vault is None:
        words = {"section": "devices", "device": device, "of": device.name}
        return render(request, "restore/nothing.html", words)
    return _overview(request, Visit(vault, device))


@require_safe
@member_page(Role.OPERATOR)
def of_vault(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    return _overview(request, visit(request, vault_id))


@require_safe
@member_page(Role.OPERATOR)
def open_point(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    """From the form that chooses one to its page."""
    found = visit(request, vault_id)
    point = request.GET.get("point", "")
    if not vault_points.has_point(found.vault, point):
        return redirect("restore-vault", vault_id)
    return redirect("restore-files", vault_id, point)


@require_POST
@member_page(Role.OPERATOR)
def lock(request: MemberRequest, vault_id: uuid.UUID) -> HttpResponseBase:
    found = visit(request, vault_id)
    unlocking.lock(request, found.vault)
    return redirect("restore-vault", vault_id)


def _overview(request: MemberRequest, found: Visit) -> HttpResponseBase:
    months = vault_points.months_of(found.vault)
    month = next((each for each in months if f"{each:%Y-%m}" == request.GET.get("month")), None)
    page = vault_points.pages_of(found.vault, month).get_page(request.GET.get("page"))
    door = unlocking.door_of(request, found.vault)
    lines = list(page.object_list)
    trouble = ""
    try:
        points = vault_points.shown_points(lines, door)
    except VaultLockedError:
        unlocking.lock(request, found.vault)
        door = None
        points = vault_points.shown_points(lines, None)
    except EverbootError as exc:
        trouble = exc.message
        points = vault_points.shown_points(lines, None)
    words = {
        **found.words,
        "page": page,
        "points": points,
        "months": months,
        "month": month,
        "query": f"month={month:%Y-%m}" if month else "",
        "is_unlocked": door is not None,
        "is_managed": found.device is not None and kept_for(found.device) is not None,
        "is_owner": request.membership.may(Role.OWNER),
        "trouble": trouble,
        "idle_minutes": int(unlocking.IDLE.total_seconds()) // 60,
    }
    return render(request, "restore/overview.html", words)
