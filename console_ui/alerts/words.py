"""Alerts as sentences, in the reader's language, and where they lead."""

from __future__ import annotations

from typing import assert_never

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.alerts.models import Alert, AlertKind


def sentence(alert: Alert) -> str:
    """What happened, on one line."""
    words = {"subject": _subject(alert), "n": alert.number}
    kind = AlertKind(alert.kind)
    match kind:
        case AlertKind.FAILED:
            return _("The backup of %(subject)s failed.") % words
        case AlertKind.OMISSIONS:
            told = ngettext(
                "The backup of %(subject)s left %(n)s item out.",
                "The backup of %(subject)s left %(n)s items out.",
                alert.number,
            )
            return told % words
        case AlertKind.SILENT:
            told = ngettext(
                "%(subject)s has been silent for %(n)s day.",
                "%(subject)s has been silent for %(n)s days.",
                alert.number,
            )
            return told % words
        case AlertKind.VAULT_FULL:
            return _("The vault %(subject)s is %(n)s %% full.") % words
        case AlertKind.DEVICE_LINKED:
            return _("%(subject)s was linked.") % words
        case AlertKind.FACTOR_CHANGED:
            return _("A second factor of %(subject)s changed.") % words
        case _:
            assert_never(kind)


def _subject(alert: Alert) -> str:
    if not alert.plan_name:
        return alert.subject
    return _("%(device)s (%(plan)s)") % {"device": alert.subject, "plan": alert.plan_name}


def advice(alert: Alert) -> str:
    """What to do about it."""
    kind = AlertKind(alert.kind)
    match kind:
        case AlertKind.FAILED:
            return _("Earlier restore points are whole. The device's page says why it failed.")
        case AlertKind.OMISSIONS:
            return _("The device's page lists what was left out, and why.")
        case AlertKind.SILENT:
            return _("Is it switched on and does it reach this console? Does its agent run?")
        case AlertKind.VAULT_FULL:
            return _("Raise its quota, or delete restore points that nobody needs.")
        case AlertKind.DEVICE_LINKED:
            return _("If nobody of you linked it, remove it at once.")
        case AlertKind.FACTOR_CHANGED:
            return _("If that was not meant, reset the account's factors and end its sessions.")
        case _:
            assert_never(kind)


def path(alert: Alert) -> str:
    """The page that says more."""
    kind = AlertKind(alert.kind)
    match kind:
        case AlertKind.VAULT_FULL:
            return f"/vaults/{alert.subject_id}"
        case AlertKind.FACTOR_CHANGED:
            return "/people"
        case _:
            return f"/devices/{alert.subject_id}"
