"""Mails about vaults, to everybody who administers the organisation, in their language."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from console_ui.accounts.models import Membership, Role
from console_ui.django_settings import console_settings
from console_ui.storage.models import Reason, Vault
from console_ui.web import mail


def alarm(vault: Vault, reason: Reason) -> None:
    """Something was deleted that nobody is expected to delete: before all other mails."""
    for member in _administrators(vault):
        with translation.override(member.user.language or "en"):
            mail.post(
                to=member.user.email,
                organisation_id=vault.organisation_id,
                is_urgent=True,
                subject=_("Unusual deletions in the vault %(vault)s") % {"vault": vault.name},
                body=_(
                    "%(reason)s\n\n"
                    "Vault: %(vault)s\n\n"
                    "Nothing is lost yet: what was deleted is hidden, and from now on stays so "
                    "until you have looked. If it was not meant to go, bring the vault back to a "
                    "moment before. If you have tidied up, or a plan has with new rules, confirm "
                    "it. Both are done on this page:\n\n%(page)s\n"
                )
                % {
                    "reason": reason.label,
                    "vault": vault.name,
                    "page": f"{console_settings().public_address}/vaults/{vault.pk}",
                },
            )


def _administrators(vault: Vault) -> list[Membership]:
    members = Membership.objects.filter(organisation=vault.organisation, user__is_active=True)
    return [member for member in members.select_related("user") if member.may(Role.ADMIN)]
