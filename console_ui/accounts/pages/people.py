"""``/people``: who belongs to the organisation, in which role, and who lacks a second factor."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console_ui.accounts import application_passwords, second_factors, secret_links, throttle
from console_ui.accounts.access import member_page
from console_ui.accounts.confirmation import confirmed_page
from console_ui.accounts.members import members_of
from console_ui.accounts.models import Membership, Organisation, Purpose, Role, SecretLink
from console_ui.accounts.notices import invitation as mail_invitation
from console_ui.accounts.notices import security_alert as mail_security_alert
from console_ui.accounts.notices import security_change
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.accounts.visitor import visitor_of
from console_ui.audit.record import record

_PAGE_MEMBERS = 50


class InvitationForm(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=Role.choices, initial=Role.OPERATOR
    )


@member_page(Role.ADMIN)
def people(request: MemberRequest) -> HttpResponseBase:
    """``?mfa=off`` shows those without a second factor, ``?words=`` some by name or address."""
    everybody = members_of(request.organisation)
    without = everybody.filter(has_factor=False)
    only_without = request.GET.get("mfa") == "off"
    sought = request.GET.get("words", "").strip()[:100]
    shown = without if only_without else everybody
    if sought:
        shown = shown.filter(Q(user__name__icontains=sought) | Q(user__email__icontains=sought))
    query = request.GET.copy()
    query.pop("page", None)
    words = {
        "section": "people",
        "page": Paginator(shown, _PAGE_MEMBERS).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "count": everybody.count(),
        "count_without": without.count(),
        "only_without": only_without,
        "sought": sought,
        "invitations": SecretLink.objects.filter(
            purpose=Purpose.INVITATION,
            organisation=request.organisation,
            used_at=None,
            expires_at__gt=timezone.now(),
        ),
        "roles": [role for role in Role if request.membership.may(role)],
    }
    return render(request, "accounts/people.html", words)


@confirmed_page
@member_page(Role.ADMIN)
def invite(request: MemberRequest) -> HttpResponseBase:
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        role = Role(form.cleaned_data["role"])
        if not request.membership.may(role):
            form.add_error("role", _("You cannot give a role above your own."))
        else:
            _invite(request, form.cleaned_data["email"].lower(), role)
            return redirect("people")
    return render(request, "accounts/invite.html", {"section": "people", "form": form})


@transaction.atomic
def _invite(request: MemberRequest, email: str, role: Role) -> None:
    organisation = request.organisation
    link = secret_links.make(Purpose.INVITATION, email=email, organisation=organisation, role=role)
    mail_invitation(email, organisation=organisation, role=role, link=link)
    _note(request, "member.invited", about=email, role=role)
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": email})


@require_POST
@member_page(Role.ADMIN)
def withdraw(request: MemberRequest, link_id: str) -> HttpResponseBase:
    """Make an invitation worthless that was not accepted yet."""
    link = SecretLink.objects.filter(
        pk=link_id, purpose=Purpose.INVITATION, organisation=request.organisation, used_at=None
    ).first()
    if link is None:
        raise Http404
    link.delete()
    _note(request, "member.invitation_withdrawn", about=link.email)
    messages.success(request, _("The invitation works no more."))
    return redirect("people")


@require_POST
@confirmed_page
@member_page(Role.ADMIN)
def change_role(request: MemberRequest, membership_id: str) -> HttpResponseBase:
    with transaction.atomic():
        member = _member_or_404(request, membership_id)
        wanted = request.POST.get("role", "")
        if wanted not in Role.values or not request.membership.may(Role(wanted)):
            raise Http404
        if not _may_lose_owner(request, member, wanted):
            return redirect("people")
        Membership.objects.filter(pk=member.pk).update(role=wanted)
        _note(request, "member.role_changed", about=member.user.email, role=Role(wanted))
    messages.success(request, _("The role was changed."))
    return redirect("people")


@require_POST
@confirmed_page
@member_page(Role.ADMIN)
def remove(request: MemberRequest, membership_id: str) -> HttpResponseBase:
    with transaction.atomic():
        member = _member_or_404(request, membership_id)
        if not _may_lose_owner(request, member, ""):
            return redirect("people")
        email = member.user.email
        application_passwords.revoke_of_member(member.user, request.organisation)
        member.delete()
        _note(request, "member.removed", about=email)
    messages.success(request, _("%(email)s is no member any more.") % {"email": email})
    return redirect("people")


@require_POST
@confirmed_page
@member_page(Role.ADMIN)
def reset_second_factor(request: MemberRequest, membership_id: str) -> HttpResponseBase:
    """For somebody who lost everything. They are told, and all their sessions end."""
    member = _member_or_404(request, membership_id)
    if member.user == request.user:
        messages.error(request, _("Your own factors are on the page Account and 2FA."))
        return redirect("people")
    if not _all_here(member, request.organisation):
        messages.error(
            request,
            _("%(email)s belongs to another organisation, too. Only they can do this.")
            % {"email": member.user.email},
        )
        return redirect("people")
    with transaction.atomic():
        second_factors.reset(member.user)
        _note(request, "second_factor.reset", about=member.user.email)
        what = _("An administrator has reset your two-factor authentication.")
        security_change(member.user, what, visitor_of(request))
    messages.success(
        request, _("The second factor of %(email)s is gone.") % {"email": member.user.email}
    )
    return redirect("people")


@require_POST
@member_page(Role.ADMIN)
def send_security_alert(request: MemberRequest, membership_id: str) -> HttpResponseBase:
    member = _member_or_404(request, membership_id)
    if throttle.attempt(throttle.MAIL, f"alert {member.pk}"):
        messages.warning(request, _("They had several mails already. Try again in an hour."))
        return redirect("people")
    mail_security_alert(member)
    _note(request, "member.security_alert_sent", about=member.user.email)
    messages.success(
        request, _("A mail is on its way to %(email)s.") % {"email": member.user.email}
    )
    return redirect("people")


def _member_or_404(request: MemberRequest, membership_id: str) -> Membership:
    """A member of this organisation whom this person may change: nobody above their own role."""
    member = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "organisation")
        .filter(pk=membership_id, organisation=request.organisation)
    )
    with transaction.atomic():
        found = member.first()
    if found is None or not request.membership.may(Role(found.role)):
        raise Http404
    return found


def _may_lose_owner(request: MemberRequest, member: Membership, wanted: str) -> bool:
    """An organisation keeps at least one owner."""
    owners = Membership.objects.select_for_update().filter(
        organisation=request.organisation, role=Role.OWNER
    )
    if member.role != Role.OWNER or wanted == Role.OWNER or len(owners) > 1:
        return True
    messages.error(request, _("An organisation needs an owner: name another one first."))
    return False


def _all_here(member: Membership, organisation: Organisation) -> bool:
    """An organisation must not open accounts that others trust, too."""
    return not member.user.memberships.exclude(organisation=organisation).exists()


def _note(request: MemberRequest, action: str, *, about: str, role: Role | None = None) -> None:
    record(
        action,
        by=actor_of(request),
        organisation_id=request.organisation.pk,
        about=about,
        details={"role": role.value} if role else {},
    )
