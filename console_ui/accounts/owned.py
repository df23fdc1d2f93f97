"""What belongs to an organisation, and the only way to look for it.

A model with an ``organisation`` field has ``OwnedQuerySet.as_manager()``. Pages ask
``Thing.objects.of(organisation)`` and, for one thing, :func:`get_owned_or_404`: the id of
another organisation's thing looks exactly like one that never existed.
"""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.http import Http404

from console_ui.accounts.models import Organisation

_Model = TypeVar("_Model", bound=models.Model)


class OwnedQuerySet(models.QuerySet[_Model]):
    """A query over things that have an ``organisation``."""

    def of(self, organisation: Organisation) -> OwnedQuerySet[_Model]:
        return self.filter(organisation=organisation)


def get_owned_or_404(
    things: OwnedQuerySet[_Model],
    organisation: Organisation,
    id: str | uuid.UUID,  # noqa: A002 (named as the model's field is)
) -> _Model:
    """The organisation's thing with this id. Raises ``Http404`` for anything else."""
    try:
        return things.of(organisation).get(pk=id)
    except (ObjectDoesNotExist, ValidationError, ValueError) as exc:
        raise Http404 from exc
