"""One repository that the console looks after."""

from __future__ import annotations

import uuid

from django.db import models

from console_ui.accounts.models import Organisation
from console_ui.accounts.owned import OwnedQuerySet
from console_ui.storage.models.location import Location


class Vault(models.Model):
    """``id`` names the vault in the gateway's address and at the location.

    Bytes are those of the catalog, kept in step with it. ``quota_bytes`` None: no limit.
    ``console_key`` is the name of the console's own key file, if it has one.
    ``keep_last`` to ``keep_monthly`` say which restore points nobody is expected to delete; an
    administrator sets them to what the device's own plan keeps, or less.
    ``purged_until``: of what was hidden up to then, some is gone for good; None: nothing is.
    ``packs_listed_at``: see ``quota``. ``bringing_back_to``: the moment to which the vault is
    being brought back right now; meanwhile nothing can be written. ``brought_back_at``: when that
    was last done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="vaults")
    name = models.CharField(max_length=60)
    device_id = models.UUIDField(null=True, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    quota_bytes = models.PositiveBigIntegerField(null=True)
    visible_bytes = models.BigIntegerField(default=0)
    hidden_bytes = models.BigIntegerField(default=0)
    console_key = models.CharField(max_length=64, blank=True)
    keep_last = models.PositiveSmallIntegerField(default=0)
    keep_daily = models.PositiveSmallIntegerField(default=7)
    keep_weekly = models.PositiveSmallIntegerField(default=4)
    keep_monthly = models.PositiveSmallIntegerField(default=12)
    purged_until = models.DateTimeField(null=True)
    packs_listed_at = models.DateTimeField(null=True)
    bringing_back_to = models.DateTimeField(null=True)
    brought_back_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
