"""Mails about devices, to the owners of an organisation, each in their language."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from console_ui.accounts.models import Membership, Organisation, Role
from console_ui.devices.models import Device
from console_ui.django_settings import console_settings
from console_ui.web import mail


def password_fetched(reader: Device, source: Device, *, address: str) -> None:
    """Somebody can now read all that ``source`` has backed up: its owners should know."""
    words = {
        "reader": reader.name,
        "source": source.name,
        "address": address or "-",
        "key": reader.short_key,
        "page": f"{console_settings().public_address}/devices",
    }
    for member in _owners(reader.organisation):
        with translation.override(member.user.language or "en"):
            mail.post(
                to=member.user.email,
                organisation_id=reader.organisation_id,
                is_urgent=True,
                subject=_("%(reader)s has fetched the password of %(source)s") % words,
                body=_(
                    "The device %(reader)s has fetched the password that the console keeps for "
                    "the vault of %(source)s, as it was allowed to.\n\n"
                    "Address: %(address)s\nKey: %(key)s\n\n"
                    "If nobody of you is restoring now, remove the device at once:\n%(page)s\n"
                )
                % words,
            )


def _owners(organisation: Organisation) -> list[Membership]:
    return list(
        Membership.objects.select_related("user").filter(organisation=organisation, role=Role.OWNER)
    )
