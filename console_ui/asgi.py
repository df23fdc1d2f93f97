"""The console as an ASGI application; Django must be configured before this is imported."""

from __future__ import annotations

from typing import Any

from django.core.asgi import get_asgi_application

from console_ui.django_settings import console_settings
from console_ui.restore.gateway_rights import UnlockedVaults
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.gateway.application import Gateway
from console_ui.storage.gateway.messages import Receive, Send
from console_ui.storage.gateway.route import PREFIX
from console_ui.web.body_limit import LimitedBodies

pages = LimitedBodies(get_asgi_application())
gateway = Gateway(
    spool_folder=console_settings().spool_folder, tokens=UnlockedVaults(LinkedDevices())
)


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Backups go to the gateway, everything else to Django."""
    if scope["type"] == "http" and scope["path"].startswith(PREFIX):
        await gateway(scope, receive, send)
    else:
        await pages(scope, receive, send)
