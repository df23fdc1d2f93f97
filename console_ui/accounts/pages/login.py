"""Logging in: name and password, and a passkey instead of both."""

from __future__ import annotations

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console_ui.accounts import known_browsers, passkeys, throttle
from console_ui.accounts import login as steps
from console_ui.accounts.journal import note
from console_ui.accounts.models import User
from console_ui.accounts.throttle import Blocked
from console_ui.accounts.visitor import visitor_of
from console_ui.accounts.waiting import waiting_words
from console_ui.web.redirects import next_page


class LoginForm(forms.Form):
    """What the first page asks for."""

    name = forms.CharField(
        label=gettext_lazy("E-mail or login ID"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def login(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return redirect(next_page(request, "devices"))
    form = LoginForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        answer = steps.check_password(
            request, form.cleaned_data["name"], form.cleaned_data["password"]
        )
        match answer:
            case None:
                form.add_error(None, _("E-mail, login ID or password is not right."))
                status = 403
            case Blocked(seconds=seconds):
                form.add_error(None, waiting_words(seconds))
                status = 429
            case user:
                wish = next_page(request, "devices")
                if not steps.begin(request, user, wish=wish):
                    return redirect("login-code")
                return _in(request, user, wish)
    words = {
        "form": form,
        "next": next_page(request, "devices"),
        "is_empty": not User.objects.exists(),
    }
    return render(request, "accounts/login.html", words, status=status)


def passkey(request: HttpRequest) -> HttpResponseBase:
    """Logging in with a passkey alone: it proves possession and person at once."""
    if request.user.is_authenticated:
        return redirect("devices")
    if blocked := _too_many_begun(request):
        waiting = {"waiting": waiting_words(blocked.seconds)}
        return render(request, "accounts/login_passkey.html", waiting, status=429)
    refused = False
    if request.method == "POST":
        key = passkeys.prove(request, None, answer=request.POST.get("answer", ""))
        if key is not None:
            wish = next_page(request, "devices")
            steps.finish(request, key.user, by="passkey")
            return _in(request, key.user, wish)
        refused = True
    words = {
        "options": passkeys.options_for_proving(request, None),
        "next": next_page(request, "devices"),
        "refused": refused,
    }
    return render(request, "accounts/login_passkey.html", words, status=403 if refused else 200)


def _in(request: HttpRequest, user: User, wish: str) -> HttpResponseBase:
    response = redirect(wish)
    known_browsers.remember(request, response, user)
    return response


def _too_many_begun(request: HttpRequest) -> Blocked | None:
    """The challenge lies in a session: those who have none yet are given one."""
    if not request.session.is_empty():
        return None
    return throttle.attempt(throttle.PASSKEY_BEGUN, visitor_of(request).address)


@require_POST
def log_out(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        note(request, "logout.done")
    logout(request)
    return redirect("login")
