"""The page that says how, and the two files behind it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console_ui.accounts.access import member_page
from console_ui.accounts.request import MemberRequest
from console_ui.download.constraints import constraints
from console_ui.download.wheel import wheel, wheel_name

_CONSTRAINTS = "constraints.txt"


@member_page()
def overview(request: MemberRequest) -> HttpResponse:
    words = {
        "section": "devices",
        "wheel": wheel_name(),
        "size": len(wheel()),
        "constraints": _CONSTRAINTS,
    }
    return render(request, "download/download.html", words)


@require_safe
def file(_request: HttpRequest, name: str) -> HttpResponse:
    """For anybody: a computer that is new here cannot log in, and there is no secret in it."""
    if name == _CONSTRAINTS:
        return HttpResponse(constraints(), content_type="text/plain; charset=utf-8")
    if name != wheel_name():
        raise Http404
    attachment = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(wheel(), content_type="application/zip", headers=attachment)
