"""Alerts by e-mail, to everybody whom they concern and who wants that, in their language."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from console_ui.accounts.models import Membership, Role
from console_ui.alerts.models import Alert, AlertKind, Wish
from console_ui.alerts.words import advice, path, sentence
from console_ui.django_settings import console_settings
from console_ui.web import mail


def tell(alert: Alert) -> None:
    """Post one mail to each; nobody waits for them."""
    for member in _recipients(alert):
        with translation.override(member.user.language or "en"):
            mail.post(
                to=member.user.email,
                subject=sentence(alert),
                body=_body(alert),
                organisation_id=alert.organisation_id,
            )


def _body(alert: Alert) -> str:
    address = console_settings().public_address
    detail = f"\n{alert.detail}\n" if alert.detail else ""
    return _(
        "%(sentence)s\n%(detail)s\n%(advice)s\n%(page)s\n\n"
        "Which of these mails you get, you decide here:\n%(settings)s\n"
    ) % {
        "sentence": sentence(alert),
        "detail": detail,
        "advice": advice(alert),
        "page": f"{address}{path(alert)}",
        "settings": f"{address}/alerts/settings",
    }


def _recipients(alert: Alert) -> list[Membership]:
    unwilling = Wish.objects.filter(
        organisation=alert.organisation_id, kind=alert.kind, by_mail=False
    ).values("user")
    members = (
        Membership.objects.filter(organisation=alert.organisation_id, user__is_active=True)
        .exclude(user__in=unwilling)
        .select_related("user")
    )
    role = AlertKind(alert.kind).role
    return [member for member in members if Role(member.role).includes(role)]
