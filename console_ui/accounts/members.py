"""Who belongs to an organisation, with the one thing every list of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet

from console_ui.accounts.models import AuthenticatorApp, Membership, Organisation, SecurityKey

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Factor(TypedDict):
    """What a membership is annotated with."""

    has_factor: bool


def members_of(organisation: Organisation) -> QuerySet[WithAnnotations[Membership, Factor]]:
    """By name, their users at hand, each with ``has_factor``: one query for any number."""
    apps = AuthenticatorApp.objects.filter(user=OuterRef("user"))
    keys = SecurityKey.objects.filter(user=OuterRef("user"))
    return (
        Membership.objects.filter(organisation=organisation)
        .select_related("user")
        .annotate(has_factor=Q(Exists(apps)) | Q(Exists(keys)))
        .order_by("user__name", "user__email")
    )
