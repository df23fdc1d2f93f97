"""The list of devices."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from console_ui.accounts.access import member_page
from console_ui.accounts.request import MemberRequest


@member_page()
def overview(request: MemberRequest) -> HttpResponse:
    return render(request, "devices/overview.html")
