"""``/devices/live``: what changes on the page of devices while somebody looks, as it happens.

Server-sent events, each with the parts of one device's row. A stream ends after some minutes;
the browser then comes back by itself, and whoever has no right any more is refused there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from django.http import StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from console_ui.accounts.access import member_page
from console_ui.accounts.models import Organisation
from console_ui.accounts.request import MemberRequest
from console_ui.activity import live
from console_ui.activity.glance import judged_devices
from console_ui.activity.models import Command, CommandState
from console_ui.activity.pages.devices import row_of

_LASTS = timedelta(minutes=5)
_SIGN_OF_LIFE_SECONDS = 15.0
_AGAIN_MILLISECONDS = 2000

_Told: TypeAlias = list[tuple[datetime, dict[str, object]]]
_looks: live.SharedLooks[_Told] = live.SharedLooks()


@require_safe
@member_page()
def changes(request: MemberRequest) -> StreamingHttpResponse:
    """From ``since`` (when the page was made), or from where the last stream ended."""
    told = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    since = _moment(told) or timezone.now()
    language = translation.get_language() or "en"
    answer = StreamingHttpResponse(
        _stream(request.organisation, since, language), content_type="text/event-stream"
    )
    # A proxy that collects an answer first would show nothing for minutes.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


async def _stream(
    organisation: Organisation, since: datetime, language: str
) -> AsyncIterator[bytes]:
    await live.let_go_of_database()
    ends_at = timezone.now() + _LASTS
    yield f"retry: {_AGAIN_MILLISECONDS}\n\n".encode()
    seen: datetime | None = None
    while timezone.now() < ends_at and not live.board.is_closed:
        changed = await live.board.wait_for_change(seen, _SIGN_OF_LIFE_SECONDS)
        if changed == seen:
            yield b": still here\n\n"
            continue
        seen = changed
        look = partial(_events, organisation, since, language)
        # Open pages are mostly equally up to date: what one of them asks, the others need, too.
        for at, event in await _looks.shared((organisation.pk, since, seen, language), look):
            since = max(since, at)
            yield _encoded(since, event)


def _events(organisation: Organisation, since: datetime, language: str) -> _Told:
    """The rows of all devices that told something after ``since``, the earliest first."""
    now = timezone.now()
    with translation.override(language):
        changed = judged_devices(organisation, now=now, changed_after=since)
        asked = set(
            Command.objects.filter(
                device__in=[judged.device for judged in changed],
                state=CommandState.WAITING,
                expires_at__gt=now,
            ).values_list("device_id", flat=True)
        )
        told = []
        for judged in changed:
            assert judged.report is not None
            row = row_of(judged, is_asked=judged.device.pk in asked)
            event: dict[str, object] = {
                "device": str(judged.device.pk),
                "state": render_to_string("activity/state.html", {"row": row}),
                "last": render_to_string("activity/last_backup.html", {"row": row}),
                "next": render_to_string("activity/next_backup.html", {"row": row}),
                "running": row.is_running,
                "said": f"{judged.device.name}: {row.state.text}",
            }
            told.append((judged.report.changed_at, event))
    return sorted(told, key=lambda each: each[0])


def _encoded(at: datetime, event: dict[str, object]) -> bytes:
    return f"id: {at.isoformat()}\nevent: device\ndata: {json.dumps(event)}\n\n".encode()


def _moment(told: str) -> datetime | None:
    try:
        found = parse_datetime(told)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
