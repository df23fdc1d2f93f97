"""Pages for what went wrong: not found, not allowed, forged, broken.

Django calls these with the exception by name; it is not shown to anybody.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

_STATUS_NOT_FOUND = 404
_STATUS_FORBIDDEN = 403
_STATUS_BROKEN = 500
_STATUS_BAD_REQUEST = 400


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _page(
        request,
        _STATUS_BAD_REQUEST,
        _("This request makes no sense to the console"),
        _("Nothing was changed. Go back and try it once more."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _page(
        request,
        _STATUS_NOT_FOUND,
        _("There is nothing here"),
        _("The address may be old, or it belongs to another organisation."),
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _page(
        request,
        _STATUS_FORBIDDEN,
        _("Your role does not allow this"),
        _("An administrator of your organisation can do it, or give you the role."),
    )


def forged_request(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """A form without this browser's token: another site's, or one left open for too long."""
    return _page(
        request,
        _STATUS_FORBIDDEN,
        _("This form was too old"),
        _("Nothing was changed. Go back, reload the page and send it again."),
    )


def broken(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        _STATUS_BROKEN,
        _("Something broke on our side"),
        _("What was stored before is unharmed. The console's log says more."),
    )


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    words = {"title": title, "text": text, "status": status}
    return render(request, "failure.html", words, status=status)
