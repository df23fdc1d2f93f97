"""Somebody who restores out of a vault: what every page of it needs, or a refusal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.accounts.request import MemberRequest
from console_ui.devices.models import Device
from console_ui.restore import unlocking, vault_points
from console_ui.storage.models import Vault
from console_ui.unlocked.asking import RefusedByVaultError, UnlockedDoor, VaultLockedError
from console_ui.unlocked.references import UnknownReferenceError

_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Visit:
    """``device`` is whose vault it is; None for a vault that no device has."""

    vault: Vault
    device: Device | None

    @property
    def name(self) -> str:
        return self.device.name if self.device else self.vault.name

    @property
    def words(self) -> dict[str, object]:
        """What every template of these pages names."""
        return {"section": "devices", "vault": self.vault, "device": self.device, "of": self.name}


@dataclass(frozen=True, slots=True)
class PointVisit(Visit):
    """A restore point of a vault that is unlocked; ``door`` is where it is asked."""

    point: str
    door: UnlockedDoor


def visit(request: MemberRequest, vault_id: uuid.UUID) -> Visit:
    """Raises ``Http404`` for another organisation's vault."""
    vault = get_owned_or_404(
        Vault.objects.select_related("location"), request.organisation, vault_id
    )
    device = None
    if vault.device_id is not None:
        device = Device.objects.of(request.organisation).filter(pk=vault.device_id).first()
    return Visit(vault, device)


def point_page(page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page about what is in a restore point, for operators; where the vault is locked, it is
    unlocked first. The page is called with a ``PointVisit`` for the ids in its address.
    """

    @wraps(page)
    def checked(
        request: MemberRequest, /, vault_id: uuid.UUID, point: str, **kwargs: str
    ) -> HttpResponseBase:
        found = visit(request, vault_id)
        if not vault_points.has_point(found.vault, point):
            raise Http404
        door = unlocking.door_of(request, found.vault)
        if door is None:
            return to_unlocking(request, found.vault, point)
        try:
            return page(request, PointVisit(found.vault, found.device, point, door), **kwargs)
        except VaultLockedError:
            unlocking.lock(request, found.vault)
            return to_unlocking(request, found.vault, point)
        except RefusedByVaultError as exc:
            if exc.reason == UnknownReferenceError.code:
                # The page is from before the vault was unlocked: begin where all can be found.
                return redirect("restore-files", vault_id, point)
            words = {**found.words, "message": exc.message, "hint": exc.hint, "point": point}
            return render(request, "restore/refused.html", words, status=_CONFLICT)

    return member_page(Role.OPERATOR)(checked)


def to_unlocking(request: HttpRequest, vault: Vault, point: str) -> HttpResponseBase:
    """Unlock first; then to the page that was asked for, or for forms to the restore point."""
    files = reverse("restore-files", args=(vault.pk, point))
    wish = request.get_full_path() if request.method == "GET" else files
    return redirect(f"{reverse('restore-unlock', args=(vault.pk,))}?{urlencode({'next': wish})}")
