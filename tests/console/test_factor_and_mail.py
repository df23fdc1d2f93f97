"""A changed factor and the mail about it: both, or neither."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
from django.http import HttpRequest
from django.test import Client

from console_ui.accounts import passkeys
from console_ui.accounts.models import RecoveryCode, SecurityKey, User
from console_ui.accounts.pages import authenticator_app, recovery, security_keys
from console_ui.alerts.models import Alert
from console_ui.audit.models import Entry
from console_ui.web import mail
from console_ui.web.models import OutgoingMail
from tests.console.people import Office, enrol, log_in
from tests.console.test_second_factor import _secret

PAGES = (authenticator_app, security_keys, recovery)


def _link_app(client: Client) -> None:
    secret = _secret(client.get("/2fa/app").content.decode()).replace(" ", "")
    client.post("/2fa/app", {"code": pyotp.TOTP(secret).now()})


def _add_key(client: Client) -> None:
    client.post("/2fa/keys/add", {"name": "blue", "answer": "{}"})


def _renew_codes(client: Client) -> None:
    client.post("/2fa/codes/renew")


def _a_key(request: HttpRequest, user: User, *, name: str, answer: str) -> SecurityKey:
    """As if it had answered."""
    del request, answer
    return SecurityKey.objects.create(
        user=user, name=name, credential_id=name, public_key=b"", sign_count=0, transports=[]
    )


def _state(user: User) -> tuple[object, ...]:
    """All that a change of factors changes."""
    user = User.objects.get(pk=user.pk)
    return (
        user.has_second_factor,
        user.security_keys.count(),
        sorted(RecoveryCode.objects.filter(user=user).values_list("hash", flat=True)),
        OutgoingMail.objects.count(),
        Alert.objects.count(),
        Entry.objects.filter(action__in=("second_factor.added", "recovery_codes.renewed")).count(),
    )


@pytest.mark.parametrize("change", [_link_app, _add_key, _renew_codes])
def test_what_dies_before_its_mail_did_not_happen(
    client: Client,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Client], None],
) -> None:
    user = office.owner
    log_in(client, user.email)
    if change is _renew_codes:
        enrol(user)
    monkeypatch.setattr(passkeys, "add", _a_key)
    mail.wait_until_sent()
    before = _state(user)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for page in PAGES:
            patch.setattr(page, "security_change", die)
        with pytest.raises(KeyboardInterrupt):
            change(client)
    assert _state(user) == before

    change(client)
    assert _state(user)[0]
    assert _state(user)[-2:] != before[-2:]
