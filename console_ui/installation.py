"""What a console makes of itself at every start: tables, folders, the set-up link."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import OperationalError

from backup_agent.errors import HostError
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
    yield f"Everboot console: {settings.public_address}"
    if not User.objects.exists():
        yield "Nobody has an account yet. Make the first owner's within a day, behind this link:"
        yield secret_links.make(Purpose.SET_UP)
    yield "Ctrl-C ends it."
