"""What a console makes of itself at every start: tables, folders, the set-up link."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, OperationalError, transaction

from backup_agent.errors import HostError, UsageError
from console_ui.settings import Settings


def prepare(settings: Settings) -> Iterator[str]:
    """Bring the database up to date; yields what to tell whoever started the console."""
    # Models can be imported only once Django is configured.
    from console_ui.accounts import secret_links, totp
    from console_ui.accounts.models import Purpose, User
    from console_ui.upgrade import upgrade

    try:
        yield from upgrade(settings.database)
    except OperationalError as exc:
        # libpq repeats the connection's parameters in its message, but never the password.
        raise HostError(
            f"The database cannot be reached: {str(exc).strip().splitlines()[0]}",
            hint="Check --database, and whether the server runs.",
        ) from exc
    totp.check_key_file()
    if settings.smtp is None:
        settings.mail_folder.mkdir(mode=0o700, exist_ok=True)
        yield f"No mail server is set: mails become files in {settings.mail_folder}"
    if not settings.storage_roots:
        yield "No folder may hold vaults: name one with --storage-root, or use S3, Swift or WebDAV"
    yield f"Everboot console: {settings.public_address}"
    if not User.objects.exists():
        yield "Nobody has an account yet. Make the first owner's within a day, behind this link:"
        yield secret_links.make(Purpose.SET_UP)
    yield "Ctrl-C ends it."


def new_set_up_link() -> str:
    """Good for one organisation and its first owner; any before works no more.

    Raises ``HostError`` for a database that no console has made ready.
    """
    from console_ui.accounts import secret_links
    from console_ui.accounts.models import Purpose
    from console_ui.audit.actor import THE_CONSOLE
    from console_ui.audit.record import record

    try:
        with transaction.atomic():
            link = secret_links.make(Purpose.SET_UP)
            record("organisation.set_up_link_made", by=THE_CONSOLE)
    except DatabaseError as exc:
        raise _unusable() from exc
    return link


def reset_two_factor(name: str) -> str:
    """For who has lost every factor and nobody is above: whoever may use this computer's console
    stands in for the administrator. Returns the account's login ID.

    In the log of each of the person's organisations, and in a mail to them, like any other
    reset. Raises ``UsageError`` for an unknown name, ``HostError`` as above.
    """
    from django.utils import translation
    from django.utils.translation import gettext as _

    from console_ui.accounts import second_factors
    from console_ui.accounts.journal import note_of
    from console_ui.accounts.models import User
    from console_ui.accounts.notices import security_change
    from console_ui.accounts.visitor import UNKNOWN_VISITOR
    from console_ui.audit.actor import THE_CONSOLE

    try:
        user = User.objects.find(name)
        if user is None:
            raise UsageError(
                f"Nobody has an account as {name}.",
                hint="Give the e-mail address or the login ID (SBA-XXXX-ADMIN).",
            )
        with transaction.atomic():
            second_factors.reset(user)
            note_of(user, THE_CONSOLE, "second_factor.reset", about=user.email)
            with translation.override(user.language or "en"):
                what = _("An administrator has reset your two-factor authentication.")
            security_change(user, what, UNKNOWN_VISITOR)
    except DatabaseError as exc:
        raise _unusable() from exc
    return user.login_id


def _unusable() -> HostError:
    return HostError(
        "The console's database cannot be used.",
        hint="Check --database, and start the console once without this option.",
    )
