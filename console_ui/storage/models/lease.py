"""Who does a piece of work, where several console processes share a database."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, models, transaction


class Lease(models.Model):
    """``holder`` does the work called ``name`` until ``ends_at``, unless renewed."""

    name = models.CharField(primary_key=True, max_length=40)
    holder = models.CharField(max_length=64)
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} by {self.holder}"

    @classmethod
    def take(cls, name: str, *, holder: str, now: datetime, length: timedelta) -> bool:
        """Take it, or take it again; whether it is the holder's now."""
        free = models.Q(holder=holder) | models.Q(ends_at__lte=now)
        mine = {"holder": holder, "ends_at": now + length}
        if cls.objects.filter(free, name=name).update(**mine):
            return True
        try:
            with transaction.atomic():
                cls.objects.create(name=name, **mine)
        except IntegrityError:
            return False
        return True

    @classmethod
    def release(cls, name: str, *, holder: str) -> None:
        """Let others have it, if it is the holder's."""
        cls.objects.filter(name=name, holder=holder).delete()
