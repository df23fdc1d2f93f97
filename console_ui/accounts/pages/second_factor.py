"""``/2fa``: which factors there are, and what may be done about them."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console_ui.accounts import recovery_codes, second_factors, trusted_browsers
from console_ui.accounts.access import user_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note
from console_ui.accounts.models import SecurityKey, TrustedBrowser, User
from console_ui.accounts.notices import security_change
from console_ui.accounts.request import UserRequest
from console_ui.accounts.visitor import visitor_of


@user_page
def overview(request: UserRequest) -> HttpResponseBase:
    user = request.user
    words = {
        "section": "account",
        "app": getattr(user, "authenticator_app", None),
        "keys": user.security_keys.all(),
        "codes_left": recovery_codes.left(user),
        "codes_count": recovery_codes.COUNT,
        "browsers": user.trusted_browsers.filter(expires_at__gt=timezone.now()),
        "this_browser": trusted_browsers.current(request, user),
        "is_on": user.has_second_factor,
        "required_by": _required_by(user),
        "last_factor": _count(user) == 1,
    }
    return render(request, "accounts/second_factor.html", words)


@require_POST
@confirmed_page
def remove_app(request: UserRequest) -> HttpResponseBase:
    return _remove(request, None)


@require_POST
@confirmed_page
def remove_key(request: UserRequest, key_id: str) -> HttpResponseBase:
    key = request.user.security_keys.filter(pk=key_id).first()
    if key is None:
        raise Http404
    return _remove(request, key)


@require_POST
@user_page
def distrust(request: UserRequest, browser_id: str) -> HttpResponseBase:
    removed, _tables = TrustedBrowser.objects.filter(user=request.user, pk=browser_id).delete()
    if not removed:
        raise Http404
    note(request, "trusted_browser.removed")
    messages.success(request, _("That browser is asked for the second factor again."))
    return redirect("second-factor")


def _remove(request: UserRequest, key: SecurityKey | None) -> HttpResponseBase:
    user = request.user
    with transaction.atomic():
        # Locked: two removals at once must not both believe that the other factor stays.
        User.objects.select_for_update().get(pk=user.pk)
        if _count(user) <= 1 and (organisation := _required_by(user)):
            words = _("Your last factor stays: %(organisation)s requires it.")
            messages.error(request, words % {"organisation": organisation})
            return redirect("second-factor")
        if key is None:
            second_factors.remove_app(user)
        else:
            second_factors.remove_key(key)
        what = _("The authenticator app was removed.") if key is None else _("A key was removed.")
        note(request, "second_factor.removed", details={"factor": key.name if key else "app"})
        security_change(user, what, visitor_of(request))
    messages.success(request, what)
    return redirect("second-factor")


def _count(user: User) -> int:
    return user.security_keys.count() + hasattr(user, "authenticator_app")


def _required_by(user: User) -> str:
    """The name of an organisation that requires a second factor of this person, or nothing."""
    membership = (
        user.memberships.select_related("organisation")
        .filter(organisation__requires_second_factor=True)
        .first()
    )
    return membership.organisation.name if membership else ""
