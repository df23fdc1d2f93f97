"""Sending what is in the outbox, again and again until it has left.

One mail at a time, urgent ones first, in a thread of its own: a mail server that hangs keeps
nobody waiting but the mails. Whoever sends a mail first moves its next attempt into the future,
so several processes share the work, and what one was sending when it was killed leaves later. A
mail may so arrive twice, but not never.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused

from django.core.mail import EmailMessage
from django.db import connections
from django.db.models import F
from django.utils import timezone

from backup_agent.errors import IntegrityError
from console_ui.sealing import unseal
from console_ui.web.models import OutgoingMail

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 30.0
_STOP_SECONDS = 5.0
_ATTEMPT_LASTS = timedelta(minutes=10)
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=1)
_TRIED_FOR = timedelta(days=2)
_SHOWN_FOR = timedelta(days=30)
_PERMANENT = 500
"""From here on a mail server's answers mean: never (RFC 5321, 4.2.1)."""


def send_due(
    *, clock: Callable[[], datetime] = timezone.now, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Try every mail whose time has come, once."""
    OutgoingMail.objects.filter(given_up_at__lt=clock() - _SHOWN_FOR).delete()
    while go_on() and (mail := _take(clock())) is not None:
        _send(mail, clock)


def forget_delays(now: datetime) -> None:
    """Try at once what failed before: a console is started anew when its settings were mended."""
    waiting = OutgoingMail.objects.filter(given_up_at=None).exclude(failure="")
    waiting.update(next_attempt_at=now)


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts, at least one."""
    # 2 to the power of 10 minutes is longer than the longest: no need for huge numbers.
    return min(_FIRST_DELAY * (1 << min(attempts - 1, 10)), _LONGEST_DELAY)


def _take(now: datetime) -> OutgoingMail | None:
    """The mail to send next, which nobody else takes for a while."""
    due = OutgoingMail.objects.filter(given_up_at=None, next_attempt_at__lte=now)
    while (mail := due.order_by("-is_urgent", "next_attempt_at").first()) is not None:
        unchanged = OutgoingMail.objects.filter(pk=mail.pk, next_attempt_at=mail.next_attempt_at)
        if unchanged.update(next_attempt_at=now + _ATTEMPT_LASTS, attempts=F("attempts") + 1):
            mail.refresh_from_db()
            return mail
    return None


def _send(mail: OutgoingMail, clock: Callable[[], datetime]) -> None:
    try:
        body = unseal(bytes(mail.sealed_body), context=mail.sealing_context).decode()
        EmailMessage(subject=mail.subject, body=body, to=[mail.recipient]).send()
    except (OSError, SMTPException, IntegrityError, ValueError) as exc:
        _note_failure(mail, exc, now=clock())
        # Neither recipient nor text: a log is read by more people than a mail.
        _log.warning("a mail could not be sent: %s", type(exc).__name__)
    else:
        OutgoingMail.objects.filter(pk=mail.pk).delete()


def _note_failure(mail: OutgoingMail, error: Exception, *, now: datetime) -> None:
    is_over = _is_permanent(error) or now - mail.posted_at >= _TRIED_FOR
    OutgoingMail.objects.filter(pk=mail.pk).update(
        next_attempt_at=now + delay_after(mail.attempts),
        given_up_at=now if is_over else None,
        failure=type(error).__name__,
    )


def _is_permanent(error: Exception) -> bool:
    match error:
        case SMTPRecipientsRefused(recipients=answers):
            return all(code >= _PERMANENT for code, _text in answers.values())
        case SMTPDataError(smtp_code=code):
            return code >= _PERMANENT
        case OSError() | SMTPException():
            return False
        case _:
            # Sealed with another key, or no address that any mail server would take.
            return True


class Postman:
    """Empties the outbox of this process's database until it is told to stop."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._stopping = False
        self.thread = threading.Thread(target=self._run, name="postman", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def stop(self) -> None:
        """Wait for a mail that is just being sent, but not for a mail server that hangs."""
        self._stopping = True
        self._wake.set()
        self.thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        is_new = True
        while not self._stopping:
            try:
                if is_new:
                    forget_delays(timezone.now())
                    is_new = False
                send_due(go_on=lambda: not self._stopping)
            except Exception:
                # A database that restarts must not end the sending for good.
                _log.exception("the outbox could not be read; it is tried again")
            finally:
                connections.close_all()
            self._wake.wait(_PAUSE_SECONDS)
            self._wake.clear()


postman = Postman()
"""That of this process; the server starts it."""
