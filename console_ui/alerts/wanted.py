"""Which alerts somebody wants to be shown, and how many of them are new."""

from __future__ import annotations

from django.db.models import QuerySet

from console_ui.accounts.models import Membership, Role
from console_ui.alerts.models import Alert, AlertKind, Seen, Wish


def concerning(membership: Membership) -> list[AlertKind]:
    """The kinds that a member of this role is told of at all."""
    return [kind for kind in AlertKind if Role(membership.role).includes(kind.role)]


def shown_to(membership: Membership) -> QuerySet[Alert]:
    """Those that the member wants to see in the console, newest first."""
    unwanted = Wish.objects.filter(
        user=membership.user_id, organisation=membership.organisation_id, in_console=False
    ).values("kind")
    return Alert.objects.filter(
        organisation=membership.organisation_id, kind__in=concerning(membership)
    ).exclude(kind__in=unwanted)


def count_new(membership: Membership) -> int:
    """How many the member has not seen yet."""
    seen = Seen.objects.filter(
        user=membership.user_id, organisation=membership.organisation_id
    ).first()
    found = shown_to(membership)
    return found.filter(raised_at__gt=seen.until).count() if seen else found.count()
