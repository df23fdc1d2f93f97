"""Folders and files of a restore point, searching them, and looking at one."""

from __future__ import annotations

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from console_ui.accounts.request import MemberRequest
from console_ui.restore.look import Look, looked_at
from console_ui.restore.pages.visit import PointVisit, point_page
from console_ui.restore.turning import Turning
from console_ui.restore.vault_points import ShownPoint
from console_ui.unlocked.messages import (
    DescribePoints,
    Folder,
    Hits,
    KeepSearch,
    ListFolder,
    Points,
    Preview,
    ReadPreview,
    Reference,
    Search,
)

_PAGE_ENTRIES = 200
_MOST_HITS = 500
_SEARCH_SECONDS = 25.0
_LONGEST_WORDS = 200
_TEXT_BYTES = 256 << 10
_PICTURE_BYTES = 24 << 20


@require_safe
@point_page
def folder(request: MemberRequest, visit: PointVisit, reference: str = "") -> HttpResponseBase:
    """One folder, a page of it; the restore point's root without a reference."""
    number = request.GET.get("page", "1")
    page = int(number) if number.isdecimal() and len(number) < 7 else 1
    start = max(0, page - 1) * _PAGE_ENTRIES
    listed = visit.door.ask(
        ListFolder(visit.point, reference, start=start, count=_PAGE_ENTRIES), Folder
    )
    words = {
        **point_words(visit),
        "folder": listed,
        "reference": reference,
        "page": Turning(number=max(1, page), size=_PAGE_ENTRIES, total=listed.total),
    }
    return render(request, "restore/files.html", words)


@require_POST
@point_page
def search(request: MemberRequest, visit: PointVisit) -> HttpResponseBase:
    """What is looked for goes into no address: it is a name out of the vault, as likely as not."""
    # A slash parts folders and is in no name: at the ends it says nothing.
    words = " ".join(request.POST.get("words", "").split())[:_LONGEST_WORDS].strip("/ ")
    if not words:
        return redirect("restore-files", visit.vault.pk, visit.point)
    kept = visit.door.ask(KeepSearch(visit.point, words), Reference)
    return redirect("restore-found", visit.vault.pk, visit.point, kept.reference)


@require_safe
@point_page
def found(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:
    hits = visit.door.ask(Search(reference, most=_MOST_HITS, longest_seconds=_SEARCH_SECONDS), Hits)
    return render(request, "restore/found.html", {**point_words(visit), "hits": hits})


@require_safe
@point_page
def preview(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:
    told = visit.door.ask(ReadPreview(reference, most=_TEXT_BYTES), Preview)
    look = looked_at(told.data)
    words = {
        **point_words(visit),
        "file": told,
        "text": look.text,
        "is_picture": bool(look.picture_type) and told.entry.size <= _PICTURE_BYTES,
        "is_too_large": bool(look.picture_type) and told.entry.size > _PICTURE_BYTES,
        "is_cut": bool(look.text) and told.entry.size > len(told.data),
    }
    return render(request, "restore/preview.html", words)


@require_safe
@point_page
def picture(request: MemberRequest, visit: PointVisit, reference: str) -> HttpResponseBase:  # noqa: ARG001
    """The bytes of a picture, as what their first ones say they are and as nothing else."""
    told = visit.door.ask(ReadPreview(reference, most=_PICTURE_BYTES), Preview)
    look: Look = looked_at(told.data)
    if not look.picture_type or told.entry.size > _PICTURE_BYTES:
        raise Http404
    return HttpResponse(
        told.data,
        content_type=look.picture_type,
        headers={
            # Whatever is in there: nothing of it runs, even when opened by itself.
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": "inline",
        },
    )


def point_words(visit: PointVisit) -> dict[str, object]:
    """What the pages of one restore point name."""
    told = visit.door.ask(DescribePoints((visit.point,)), Points).points
    point = told[0] if told else None
    return {
        **visit.words,
        "point": visit.point,
        "told": point,
        "at": ShownPoint.of(visit.point, None, point).at,
    }
