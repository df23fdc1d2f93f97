"""Mails about an account, each in its owner's language. None holds a password or a code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from console_ui.accounts.models import Membership, Organisation, Role, User
from console_ui.accounts.visitor import Visitor
from console_ui.django_settings import console_settings
from console_ui.web import mail
from console_ui.web.models import OutgoingMail


def invitation(email: str, *, organisation: Organisation, role: Role, link: str) -> None:
    mail.post(
        to=email,
        organisation_id=organisation.pk,
        subject=_("Invitation to %(organisation)s on Everboot")
        % {"organisation": organisation.name},
        body=_(
            "You are invited to look after the backups of %(organisation)s, as %(role)s.\n\n"
            "Open this link within 7 days to make your account:\n\n%(link)s\n"
        )
        % {"organisation": organisation.name, "role": role.label, "link": link},
    )


def new_password(user: User, *, link: str) -> None:
    with _language_of(user):
        mail.post(
            to=user.email,
            subject=_("A new password for Everboot"),
            body=_(
                "Somebody, probably you, asked for a new password for %(login)s.\n\n"
                "Open this link within an hour to choose it:\n\n%(link)s\n\n"
                "If it was not you, do nothing: your password stays as it is.\n"
            )
            % {"login": user.login_id, "link": link},
        )


def new_email(user: User, *, address: str, link: str) -> None:
    """To the new address; the old one gets a security notice."""
    with _language_of(user):
        mail.post(
            to=address,
            subject=_("Confirm your new e-mail address"),
            body=_("Open this link within 24 hours, while you are logged in:\n\n%(link)s\n")
            % {"link": link},
        )


def security_change(user: User, what: str, visitor: Visitor, *, to: str = "") -> None:
    """Tell somebody that the way into their account has changed. ``what`` is a sentence."""
    with _language_of(user):
        mail.post(
            to=to or user.email,
            subject=_("Your Everboot account: %(what)s") % {"what": what.rstrip(".")},
            body=_(
                "%(what)s\n\n"
                "Account: %(login)s\nFrom: %(address)s %(browser)s\n\n"
                "If it was not you, change your password at once and end all sessions:\n%(page)s\n"
            )
            % {
                "what": what,
                "login": user.login_id,
                "address": visitor.address or "-",
                "browser": visitor.browser,
                "page": f"{console_settings().public_address}/account",
            },
        )


def security_alert(membership: Membership) -> None:
    """An administrator asks somebody to look after their second factor."""
    user = membership.user
    with _language_of(user):
        state = (
            _("Two-factor authentication is on. Check that the list of your devices is right.")
            if user.has_second_factor
            else _("Two-factor authentication is not on yet. Turn it on now: it takes 2 minutes.")
        )
        mail.post(
            to=user.email,
            subject=_("Check your security settings"),
            body=_(
                "An administrator of %(organisation)s asks you to check your security settings."
                "\n\n%(state)s\n\n%(page)s\n"
            )
            % {
                "organisation": membership.organisation.name,
                "state": state,
                "page": f"{console_settings().public_address}/2fa",
            },
        )


def undelivered(organisation: Organisation) -> QuerySet[OutgoingMail]:
    """What was given up on: mails about the organisation, and mails to its people."""
    addresses = organisation.memberships.values_list("user__email", flat=True)
    return mail.undelivered(organisation.pk, addresses)


@contextmanager
def _language_of(user: User) -> Iterator[None]:
    with translation.override(user.language or "en"):
        yield
