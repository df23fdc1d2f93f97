"""Sending mails, without anybody waiting for them.

A page that mails only when an account exists would tell by its slowness that it does; so mails
leave from a thread of their own. A mail that cannot be sent is logged and given up: what it
told about has happened all the same.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from smtplib import SMTPException

from django.core.mail import EmailMessage

_log = logging.getLogger(__name__)
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_under_way: set[Future[None]] = set()


def post(*, to: str, subject: str, body: str) -> None:
    """Send a mail soon."""
    job = _sender.submit(_send, EmailMessage(subject=subject, body=body, to=[to]))
    _under_way.add(job)
    job.add_done_callback(_under_way.discard)


def wait_until_sent() -> None:
    """Return when everything posted so far has left or failed."""
    wait(set(_under_way))


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except (OSError, SMTPException) as exc:
        # Neither recipient nor text: a log is read by more people than a mail.
        _log.warning("a mail could not be sent: %s", type(exc).__name__)
