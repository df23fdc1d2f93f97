"""A selection as one zip."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus

from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.audit.record import record
from console_ui.restore.pages.files import point_words
from console_ui.restore.pages.visit import PointVisit, point_page
from console_ui.restore.zip_answer import KeptAlive
from console_ui.storage.gateway.byte_range import Span, wanted_span
from console_ui.unlocked.messages import AskZip, KeepSelection, Reference, ZipState
from console_ui.web.quantities import bytes_in_words

_MOST_ITEMS = 5000
_ZIP = "application/zip"


@require_POST
@point_page
def select(request: MemberRequest, visit: PointVisit) -> HttpResponseBase:
    """From ticked boxes to an address that tells nothing of what was ticked."""
    items = tuple(dict.fromkeys(request.POST.getlist("item")))[:_MOST_ITEMS]
    without = tuple(dict.fromkeys(request.POST.getlist("without")))[:_MOST_ITEMS]
    kept = visit.door.ask(KeepSelection(visit.point, items, without), Reference)
    place = (visit.vault.pk, visit.point, kept.reference)
    address = reverse("restore-zip", args=place)
    if "json" in request.headers.get("Accept", ""):
        progress = reverse("restore-zip-state", args=place)
        return JsonResponse({"zip": address, "progress": progress})
    return HttpResponseRedirect(address)


@require_safe
@point_page
def zip_file(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:
    """All of it, or the rest of one that broke off: the length is known, and the same selection
    gives the same bytes.
    """
    offered = visit.door.zip(reference)
    head = offered.head
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(visit)}"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{head.tag}"',
        # A proxy that wants to have it all first would fill its disk and hide a disconnect.
        "X-Accel-Buffering": "no",
    }
    try:
        wanted = wanted_span(_range(request, headers["ETag"]), head.size)
    except ValueError:
        offered.close()
        headers["Content-Range"] = f"bytes */{head.size}"
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    status = HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK
    span = wanted or Span(0, head.size)
    if wanted:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{head.size}"
    headers["Content-Length"] = str(span.end - span.start)
    if request.method == "HEAD":
        offered.close()
        return HttpResponse(content_type=_ZIP, headers=headers)
    pieces = offered.take(span.start, span.end)
    record(
        "files.downloaded",
        by=actor_of(request),
        organisation_id=visit.vault.organisation_id,
        about=visit.name,
        details={"vault": str(visit.vault.pk), "point": visit.point[:8]},
    )
    return StreamingHttpResponse(
        KeptAlive(pieces, visit.door.name), content_type=_ZIP, headers=headers, status=status
    )


def _range(request: MemberRequest, tag: str) -> str | None:
    """The range that is asked for, unless it is one of other bytes (RFC 9110, 13.1.5 and 14.2)."""
    if request.method != "GET" or request.headers.get("If-Range", tag) != tag:
        return None
    return request.headers.get("Range")


@require_safe
@point_page
def zip_state(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:  # noqa: ARG001
    """How far the zip of a selection is, for the page that started it."""
    state = visit.door.ask(AskZip(reference), ZipState)
    words = {
        "done": bytes_in_words(state.bytes_done),
        "all": bytes_in_words(state.bytes_total),
    }
    if state.is_running:
        text = _("%(done)s of %(all)s") % words
    elif state.damaged:
        text = _("Broken off after %(done)s of %(all)s: %(file)s is damaged in the restore point.")
        text %= {**words, "file": state.damaged}
    elif state.has_begun and state.bytes_done < state.bytes_total:
        text = _("Broken off after %(done)s of %(all)s. Start the same selection again.") % words
    else:
        text = _("The last zip of this selection has ended.")
    if state.left_out:
        left_out = ngettext(
            "%(n)s thing could not be put into it; a list in the zip names it.",
            "%(n)s things could not be put into it; a list in the zip names them.",
            state.left_out,
        )
        text = f"{text} {left_out % {'n': state.left_out}}"
    return JsonResponse(
        {
            "is_running": state.is_running,
            "has_ended": state.has_begun and not state.is_running,
            "text": text,
            "left_out": state.left_out,
            "bytes_done": state.bytes_done,
            "bytes_total": state.bytes_total,
            "without": state.without,
            "do_without": _("Download the rest without it"),
        }
    )


def _file_name(visit: PointVisit) -> str:
    """Made of what every system takes for a name."""
    words = point_words(visit)
    at = words["at"]
    when = at.strftime(" %Y-%m-%d %H-%M") if isinstance(at, datetime) else ""
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", "_", f"{visit.name}{when}").strip(" .")
    return f"{plain or 'files'}.zip"
