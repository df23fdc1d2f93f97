"""A device as the protocol sees it: a key, and forms that it signs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.test import Client
from django.utils import timezone

from backup_agent.crypto.signature import SigningKey, fingerprint, new_signing_key
from backup_agent.services.link.assertion import ASSERTION_TYPE, encode_public_key, make
from console_ui.accounts.request import person
from console_ui.devices import linking
from console_ui.devices.models import Device, Kind, LinkRequest
from console_ui.devices.oauth import CLIENT_CREDENTIALS_GRANT, DEVICE_CODE_GRANT

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

    from tests.console.people import Office

AUDIENCE = "http://localhost:8470"


@dataclass(frozen=True, slots=True)
class PlayedDevice:
    """Sends what ``everboot link`` sends, and what a forger would."""

    key: SigningKey = field(default_factory=new_signing_key)
    http: Client = field(default_factory=Client)

    @property
    def client_id(self) -> str:
        return fingerprint(self.key.public_key)

    def proof(self, *, audience: str = AUDIENCE, now: float | None = None) -> dict[str, str]:
        stated = make(self.key, audience=audience, now=time.time() if now is None else now)
        return {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": stated,
        }

    def ask(self, **fields: str) -> Answer:
        """POST /oauth/device_authorization."""
        form = {
            "public_key": encode_public_key(self.key.public_key),
            "device_name": "ATELIER-01",
            "system": "Debian 13",
            **self.proof(),
            **fields,
        }
        return self.http.post("/oauth/device_authorization", form)

    def codes(self, **fields: str) -> dict[str, Any]:
        answer = self.ask(**fields)
        assert answer.status_code == 200, answer.content
        codes: dict[str, Any] = answer.json()
        return codes

    def poll(self, codes: dict[str, Any], **fields: str) -> Answer:
        form = {
            "grant_type": DEVICE_CODE_GRANT,
            "device_code": codes["device_code"],
            **self.proof(),
            **fields,
        }
        return self.http.post("/oauth/token", form)

    def renew(self, **fields: str) -> Answer:
        form = {"grant_type": CLIENT_CREDENTIALS_GRANT, **self.proof(), **fields}
        return self.http.post("/oauth/token", form)

    def get(self, path: str, token: str) -> Answer:
        return self.http.get(path, headers={"Authorization": f"Bearer {token}"})


def approve(
    codes: dict[str, Any],
    office: Office,
    *,
    kind: Kind = Kind.BACKUP,
    sources: tuple[Device, ...] = (),
) -> None:
    """As the owner does it in the browser, without the browser."""
    request = linking.find(codes["user_code"], office.organisation, now=timezone.now())
    assert request is not None
    assert linking.approve(
        request,
        office.organisation,
        by=office.owner,
        actor=person(office.owner),
        kind=kind,
        sources=sources,
        now=timezone.now(),
    )


def link(
    office: Office,
    *,
    kind: Kind = Kind.BACKUP,
    sources: tuple[Device, ...] = (),
    name: str = "ATELIER-01",
) -> tuple[PlayedDevice, Device, str]:
    """A linked device, its row and an access token."""
    played = PlayedDevice()
    codes = played.codes(device_name=name)
    approve(codes, office, kind=kind, sources=sources)
    answer = played.poll(codes)
    assert answer.status_code == 200, answer.content
    return played, Device.objects.get(client_id=played.client_id), answer.json()["access_token"]


def only_request() -> LinkRequest:
    return LinkRequest.objects.get()
