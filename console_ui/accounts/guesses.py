"""At which counters a guess counts: by whom it might be, from where, and at what.

Strangers are counted together, narrowly by account and address, and widely by account and by
address alone. Who is known (by a browser of theirs, or in an open session) is counted apart, so
that whoever knows a name or even the password cannot keep its owner out.
"""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest

from console_ui.accounts import known_browsers, throttle
from console_ui.accounts.models import User
from console_ui.accounts.throttle import Counter
from console_ui.accounts.visitor import visitor_of

Proof = Literal["authenticator-app", "recovery-code", "security-key"]


def at_password(request: HttpRequest, typed: str) -> list[Counter]:
    """Logging in under a name, which may be nobody's."""
    user = User.objects.find(typed)
    if user is not None and (browser := known_browsers.name_of(request, user)):
        return [Counter(throttle.LOGIN, f"{user.pk} browser {browser}")]
    account, address = User.objects.account_of(typed), visitor_of(request).address
    return [
        Counter(throttle.LOGIN, f"{account} {throttle.source_of(address)}"),
        Counter(throttle.LOGIN_ACCOUNT, account),
        Counter(throttle.LOGIN_ADDRESS, address),
    ]


def at_second_factor(request: HttpRequest, user: User, by: Proof) -> list[Counter]:
    """The second step of a login. Each way has its own: one that is shut leaves the others open.

    Only codes of an app are few enough to be guessed from many addresses.
    """
    if browser := known_browsers.name_of(request, user):
        return [Counter(throttle.SECOND_FACTOR, f"{by} {user.pk} browser {browser}")]
    source = throttle.source_of(visitor_of(request).address)
    narrow = Counter(throttle.SECOND_FACTOR, f"{by} {user.pk} {source}")
    if by != "authenticator-app":
        return [narrow]
    return [narrow, Counter(throttle.SECOND_FACTOR_ACCOUNT, str(user.pk))]


def in_session(request: HttpRequest, user: User) -> list[Counter]:
    """Proving oneself once more. Whoever is logged in has proved all before."""
    return [Counter(throttle.SECOND_FACTOR, f"{user.pk} session {request.session.session_key}")]


def by_program(login: str, address: str) -> list[Counter]:
    """What is no application password, and may be the account's own."""
    account = User.objects.account_of(login)
    return [
        Counter(throttle.PROGRAM, f"{account} {throttle.source_of(address)}"),
        Counter(throttle.PROGRAM_ACCOUNT, account),
        Counter(throttle.PROGRAM_ADDRESS, address),
    ]
