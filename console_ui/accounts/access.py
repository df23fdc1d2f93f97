"""Who may see a page: decorators, from "anybody logged in" to "an owner".

A page that is not decorated is public; a test keeps the list of those short.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from console_ui.accounts.models import Role
from console_ui.accounts.request import ConsoleRequest, MemberRequest, UserRequest

_P = ParamSpec("_P")
_View = Callable[Concatenate[HttpRequest, _P], HttpResponseBase]


def user_page(page: Callable[Concatenate[UserRequest, _P], HttpResponseBase]) -> _View[_P]:
    """A page for anybody who is logged in."""

    @wraps(page)
    def checked(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return page(cast(UserRequest, request), *args, **kwargs)

    return checked


def member_page(
    role: Role = Role.VIEWER,
) -> Callable[[Callable[Concatenate[MemberRequest, _P], HttpResponseBase]], _View[_P]]:
    """A page for members with at least this role in the organisation they look at."""

    def decorate(page: Callable[Concatenate[MemberRequest, _P], HttpResponseBase]) -> _View[_P]:
        @wraps(page)
        def checked(
            request: UserRequest, /, *args: _P.args, **kwargs: _P.kwargs
        ) -> HttpResponseBase:
            membership = cast(ConsoleRequest, request).membership
            if membership is None:
                return _homeless(request)
            if not membership.may(role):
                raise PermissionDenied
            return page(cast(MemberRequest, request), *args, **kwargs)

        return user_page(checked)

    return decorate


def _homeless(request: UserRequest) -> HttpResponse:
    return render(request, "accounts/no_organisation.html", status=403)
