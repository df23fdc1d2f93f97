"""``/account``: name, language, sessions, e-mail address, organisations."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError as DuplicateError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console_ui.accounts import application_passwords, secret_links, throttle
from console_ui.accounts.access import user_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.journal import note
from console_ui.accounts.middleware import choose_organisation
from console_ui.accounts.models import Membership, Purpose, Role, SessionRow, Theme, User
from console_ui.accounts.notices import new_email as mail_new_email
from console_ui.accounts.notices import security_change
from console_ui.accounts.pages.new_person import TokenForm
from console_ui.accounts.request import UserRequest, actor_of
from console_ui.accounts.sessions import IDLE, row_key
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import record
from console_ui.web.redirects import next_page


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg] # generic for the checker only
    """What people may change about themselves at any time."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("As the browser")), ("en", "English"), ("fr", "Français")],
    )

    class Meta:
        model = User
        fields = ("name", "language", "theme")
        labels = {  # noqa: RUF012 (Django's own convention)
            "name": gettext_lazy("Name"),
            "theme": gettext_lazy("Colours"),
        }


class EmailForm(forms.Form):
    """A new address."""

    email = forms.EmailField(label=gettext_lazy("New e-mail address"))


@user_page
def account(request: UserRequest) -> HttpResponseBase:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("account")
    words = {
        "section": "account",
        "form": form,
        "themes": Theme,
        "sessions": _sessions(request),
        "memberships": request.user.memberships.select_related("organisation"),
    }
    return render(request, "accounts/account.html", words)


def _sessions(request: UserRequest) -> list[dict[str, object]]:
    mine = row_key(request.session.session_key or "")
    live = SessionRow.objects.filter(
        user=request.user,
        expire_date__gt=timezone.now(),
        seen_at__gt=timezone.now() - IDLE,
    )
    return [{"row": row, "is_this": row.session_key == mine} for row in live.order_by("-seen_at")]


@require_POST
@user_page
def end_session(request: UserRequest, key: str) -> HttpResponseBase:
    """``key`` is the row's: a hash, from which nobody makes a cookie."""
    ended, _tables = SessionRow.objects.filter(user=request.user, session_key=key).delete()
    if not ended:
        raise Http404
    note(request, "session.ended")
    messages.success(request, _("That session has ended."))
    return redirect("account")


@require_POST
@user_page
def end_other_sessions(request: UserRequest) -> HttpResponseBase:
    mine = row_key(request.session.session_key or "")
    SessionRow.objects.filter(user=request.user).exclude(session_key=mine).delete()
    note(request, "session.others_ended")
    messages.success(request, _("All other sessions have ended."))
    return redirect("account")


@confirmed_page
def change_email(request: UserRequest) -> HttpResponseBase:
    """Mails a link to the new address: the change needs somebody who can read it."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"].lower()
        if throttle.attempt(throttle.MAIL, f"email {request.user.pk}"):
            form.add_error(None, _("Too many mails. Try again in an hour."))
        else:
            # The same answer for an address that is taken: it is nobody's business.
            if not User.objects.filter(email=address).exists():
                link = secret_links.make(Purpose.NEW_EMAIL, user=request.user, email=address)
                mail_new_email(request.user, address=address, link=link)
            note(request, "email.change_asked")
            messages.success(request, _("Open the link in the mail to the new address."))
            return redirect("account")
    return render(request, "accounts/email_change.html", {"section": "account", "form": form})


@user_page
def new_email(request: UserRequest) -> HttpResponseBase:
    """Behind the link in that mail."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        link = secret_links.find(Purpose.NEW_EMAIL, form.cleaned_data["token"])
        if link is not None and link.user_id == request.user.pk and secret_links.use_up(link):
            return _take_over(request, link.email)
        form.add_error(None, _("The link is too old, or it is another account's."))
    return render(request, "accounts/email_new.html", {"form": form})


def _take_over(request: UserRequest, address: str) -> HttpResponseBase:
    user, old = request.user, request.user.email
    what = _("The e-mail address was changed to %(address)s.") % {"address": address}
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(email=address)
            # A link to a new password may lie in the mailbox that was just given up.
            secret_links.withdraw_of(user)
            note(request, "email.changed", details={"from": old, "to": address})
            for recipient in (old, address):
                security_change(user, what, visitor_of(request), to=recipient)
    except DuplicateError:
        messages.error(request, _("Another account has this address now."))
        return redirect("account")
    messages.success(request, what)
    return redirect("account")


@require_POST
@user_page
def choose(request: UserRequest, membership_id: str) -> HttpResponseBase:
    membership = request.user.memberships.filter(pk=membership_id).first()
    if membership is None:
        raise Http404
    choose_organisation(request, membership)
    return redirect("devices")


@require_POST
@user_page
def leave(request: UserRequest, membership_id: str) -> HttpResponseBase:
    """Always allowed, even instead of setting up a second factor; not for the last owner."""
    with transaction.atomic():
        membership = (
            Membership.objects.select_for_update()
            .select_related("organisation")
            .filter(user=request.user, pk=membership_id)
            .first()
        )
        if membership is None:
            raise Http404
        organisation = membership.organisation
        if membership.role == Role.OWNER and _owners(membership) == 1:
            messages.error(request, _("An organisation needs an owner: name another one first."))
            return redirect("account")
        record(
            "member.left",
            by=actor_of(request),
            organisation_id=organisation.pk,
            about=request.user.email,
        )
        application_passwords.revoke_of_member(request.user, organisation)
        membership.delete()
    words = _("You have left %(organisation)s.") % {"organisation": organisation.name}
    messages.success(request, words)
    return redirect("account")


def _owners(membership: Membership) -> int:
    # All owners are locked: of two who leave at once, one is refused.
    owners = Membership.objects.select_for_update().filter(
        organisation=membership.organisation, role=Role.OWNER
    )
    return len(owners)


@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """For people who are not logged in: kept in a cookie."""
    response = redirect(next_page(request, "login"))
    chosen = request.POST.get("language", "")
    if translation.check_for_language(chosen):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
    return response
