"""The outbox: mails that have still to leave."""

from __future__ import annotations

import uuid

from django.db import models


class OutgoingMail(models.Model):
    """Gone once it was sent. ``sealed_body``: mails hold links that let people in.

    ``organisation_id`` is None for what concerns one person only. ``next_attempt_at`` lies in
    the future while somebody tries, too. ``given_up_at``: it needs a person now; ``failure`` says
    what went wrong last.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation_id = models.UUIDField(null=True)
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    sealed_body = models.BinaryField()
    is_urgent = models.BooleanField(default=False)
    posted_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("-posted_at",)
        indexes = (models.Index(fields=("given_up_at", "next_attempt_at")),)

    def __str__(self) -> str:
        return f"mail {self.pk}"

    @property
    def sealing_context(self) -> str:
        return f"mail:{self.pk}"
