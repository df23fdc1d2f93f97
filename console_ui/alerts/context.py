"""How many alerts are new: every page's navigation says so."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from console_ui.alerts.wanted import count_new


def alerts(request: HttpRequest) -> dict[str, object]:
    """``new_alerts``, asked only where it is shown."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {"new_alerts": 0}
    return {"new_alerts": SimpleLazyObject(lambda: count_new(membership))}
