"""Posting mails: into the outbox, without anybody waiting for a mail server.

A mail is a row in the transaction that does what it tells about, so that either both are there
after a crash or neither. ``postman`` sends it. Waiting for that would not only be slow: a page
that mails only when an account exists would tell by its slowness that it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from console_ui.sealing import seal
from console_ui.web.models import OutgoingMail
from console_ui.web.postman import postman, send_due


def post(
    *,
    to: str,
    subject: str,
    body: str,
    organisation_id: uuid.UUID | None = None,
    is_urgent: bool = False,
) -> None:
    """Have a mail sent as soon as the transaction around this is committed.

    An urgent one overtakes all others. ``organisation_id``: whose administrators may know if it
    never arrives, apart from the recipient's own.
    """
    now = timezone.now()
    mail = OutgoingMail(
        organisation_id=organisation_id,
        recipient=to,
        # Names of vaults and devices come from people and programs; a header is one line.
        subject=" ".join(subject.split())[:300],
        is_urgent=is_urgent,
        posted_at=now,
        next_attempt_at=now,
    )
    mail.sealed_body = seal(body.encode(), context=mail.sealing_context)
    mail.save(force_insert=True)
    transaction.on_commit(postman.wake)


def undelivered(organisation_id: uuid.UUID, addresses: Iterable[str]) -> QuerySet[OutgoingMail]:
    """The mails given up on that concern an organisation, or went to one of its people."""
    concerned = Q(organisation_id=organisation_id) | Q(recipient__in=addresses)
    return OutgoingMail.objects.filter(concerned).exclude(given_up_at=None)


def try_again(mails: QuerySet[OutgoingMail]) -> None:
    """Begin anew with mails that were given up on."""
    now = timezone.now()
    mails.update(given_up_at=None, posted_at=now, attempts=0, next_attempt_at=now)
    transaction.on_commit(postman.wake)


def wait_until_sent() -> None:
    """Return when everything posted so far has left or failed; it is sent right here."""
    send_due()
