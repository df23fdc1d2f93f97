"""What the process of an unlocked vault may do at the gateway: read that one vault."""

from __future__ import annotations

import hmac
import uuid
from datetime import timedelta

from django.utils import timezone

from console_ui.accounts.models import Role
from console_ui.accounts.request import person
from console_ui.audit.actor import Actor
from console_ui.restore.models import UnlockedVault
from console_ui.restore.unlocking import IDLE
from console_ui.storage.gateway.access import DeviceTokens, Rights
from console_ui.storage.models import Vault

_GRACE = timedelta(minutes=2)
"""Use is noted once a minute."""


class UnlockedVaults:
    """Knows the tokens of unlocked vaults, and leaves all others to ``devices``.

    The database is asked every time: whoever loses session, role or time is out at once.
    """

    def __init__(self, devices: DeviceTokens) -> None:
        self._devices = devices

    def rights_in(
        self, vault: Vault | None, token: str, *, address: str
    ) -> tuple[Rights, Actor] | None:
        name, dot, _ = token.partition(".")
        if not dot:
            return self._devices.rights_in(vault, token, address=address)
        if vault is None:
            return None
        found = _unlocked(vault, name)
        if found is None or not hmac.compare_digest(found.token.encode(), token.encode()):
            return None
        membership = found.user.memberships.filter(organisation=vault.organisation_id).first()
        if membership is None or not membership.may(Role.OPERATOR):
            return None
        return Rights.BROWSE, person(found.user, address=address)


def _unlocked(vault: Vault, name: str) -> UnlockedVault | None:
    try:
        row = uuid.UUID(hex=name)
    except ValueError:
        return None
    since = timezone.now() - IDLE - _GRACE
    found = UnlockedVault.objects.select_related("user")
    return found.filter(pk=row, vault=vault, used_at__gt=since, user__is_active=True).first()
