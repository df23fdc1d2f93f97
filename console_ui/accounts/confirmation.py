"""Proving once more that it is you: before changes that would let somebody else in for good.

Good for five minutes. A full login counts; one from a trusted browser does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from console_ui.accounts.access import user_page
from console_ui.accounts.request import UserRequest

SECONDS = 300
_KEY = "confirmed_at"

_P = ParamSpec("_P")


def confirm(request: HttpRequest) -> None:
    """The person has just proved themselves with all factors they have."""
    request.session[_KEY] = time.time()


def is_recent(request: HttpRequest) -> bool:
    return bool(time.time() - request.session.get(_KEY, 0.0) < SECONDS)


def confirmed_page(
    page: Callable[Concatenate[UserRequest, _P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, _P], HttpResponseBase]:
    """A page for people who have just proved themselves; others do so first, and come back."""

    @wraps(page)
    def checked(request: UserRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        if is_recent(request):
            return page(request, *args, **kwargs)
        # A form cannot be sent again after a redirect: back to the page that showed it.
        back = request.get_full_path() if request.method == "GET" else _page_of_form(request)
        return redirect_to_login(back, login_url=reverse("confirm"))

    return user_page(checked)


def _page_of_form(request: HttpRequest) -> str:
    return request.POST.get("page") or reverse("account")
