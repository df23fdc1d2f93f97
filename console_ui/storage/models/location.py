"""A place where vaults are kept."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from console_ui.accounts.models import Organisation
from console_ui.accounts.owned import OwnedQuerySet


class LocationKind(models.TextChoices):
    """What is spoken there."""

    S3 = "s3", _("S3")
    SWIFT = "swift", _("OpenStack Swift")
    WEBDAV = "webdav", _("WebDAV")
    FOLDER = "folder", _("Folder on the console's host")


class Location(models.Model):
    """``settings`` are the fields of the kind's form that anybody may read; the secret ones lie
    in ``sealed_secrets`` (see ``locations``).

    ``gives_read_addresses``: our own clients may read from the place itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=6, choices=LocationKind.choices)
    settings = models.JSONField(default=dict)
    sealed_secrets = models.BinaryField()
    gives_read_addresses = models.BooleanField(default=False)
    added_at = models.DateTimeField(auto_now_add=True)
    tested_at = models.DateTimeField(null=True)
    test_failure = models.CharField(max_length=300, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name"), name="storage_location_name_once"
            ),
        )

    def __str__(self) -> str:
        return self.name
