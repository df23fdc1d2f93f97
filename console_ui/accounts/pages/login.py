"""The first page: name and password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render


def login(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return redirect("devices")
    return HttpResponse(render(request, "accounts/login.html"))
