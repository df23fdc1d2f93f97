"""A selection as one zip."""

from __future__ import annotations

import re
from datetime import datetime

from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.restore.pages.files import point_words
from console_ui.restore.pages.visit import PointVisit, point_page
from console_ui.restore.zip_answer import KeptAlive
from console_ui.unlocked.messages import AskZip, KeepSelection, Reference, ZipState
from console_ui.web.quantities import bytes_in_words

_MOST_ITEMS = 5000


@require_POST
@point_page
def select(request: MemberRequest, visit: PointVisit) -> HttpResponseBase:
    """From ticked boxes to an address that tells nothing of what was ticked."""
    items = tuple(dict.fromkeys(request.POST.getlist("item")))[:_MOST_ITEMS]
    kept = visit.door.ask(KeepSelection(visit.point, items), Reference)
    place = (visit.vault.pk, visit.point, kept.reference)
    address = reverse("restore-zip", args=place)
    if "json" in request.headers.get("Accept", ""):
        progress = reverse("restore-zip-state", args=place)
        return JsonResponse({"zip": address, "progress": progress})
    return HttpResponseRedirect(address)


@require_safe
@point_page
def zip_file(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:
    """Its length is not known beforehand: it is compressed as it goes. The page tells how far it
    is by what has been read, and a transfer that breaks off has no last chunk.
    """
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(visit)}"',
        # A proxy that wants to have it all first would fill its disk and hide a disconnect.
        "X-Accel-Buffering": "no",
    }
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    pieces = visit.door.zip(reference)
    record(
        "files.downloaded",
        by=actor_of(request),
        organisation_id=visit.vault.organisation_id,
        about=visit.name,
        details={"vault": str(visit.vault.pk), "point": visit.point[:8]},
    )
    return StreamingHttpResponse(
        KeptAlive(pieces, visit.door.name), content_type="application/zip", headers=headers
    )


@require_safe
@point_page
def zip_state(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:  # noqa: ARG001
    """How far the zip of a selection is, for the page that started it."""
    state = visit.door.ask(AskZip(reference), ZipState)
    done = {"files": state.files_done, "bytes": bytes_in_words(state.bytes_done)}
    words = {**done, "of_files": state.files_total, "of_bytes": bytes_in_words(state.bytes_total)}
    if not state.is_running:
        text = _("The last zip of this selection has ended.")
    elif state.files_total:
        text = _("%(bytes)s of %(of_bytes)s, %(files)s of %(of_files)s files") % words
    else:
        text = _("%(bytes)s, %(files)s files") % words
    return JsonResponse(
        {
            "is_running": state.is_running,
            "has_ended": state.has_begun and not state.is_running,
            "text": text,
            "left_out": state.left_out,
            "bytes_done": state.bytes_done,
            "bytes_total": state.bytes_total,
        }
    )


def _file_name(visit: PointVisit) -> str:
    """Made of what every system takes for a name."""
    words = point_words(visit)
    at = words["at"]
    when = at.strftime(" %Y-%m-%d %H-%M") if isinstance(at, datetime) else ""
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", "_", f"{visit.name}{when}").strip(" .")
    return f"{plain or 'files'}.zip"
