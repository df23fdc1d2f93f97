"""The console as an ASGI application; Django must be configured before this is imported."""

from __future__ import annotations

from typing import Any

from console_ui.django_settings import console_settings
from console_ui.restore.gateway_rights import UnlockedVaults
from console_ui.storage.device_vaults import LinkedDevices
from console_ui.storage.gateway.application import Gateway
from console_ui.storage.gateway.messages import Receive, Send
from console_ui.storage.gateway.route import PREFIX
from console_ui.web.body_limit import LimitedBodies
from console_ui.web.pages_handler import PagesHandler

pages = LimitedBodies(PagesHandler(crowd_path="/api/v1/device/"))
gateway = Gateway(
    spool_folder=console_settings().spool_folder, tokens=UnlockedVaults(LinkedDevices())
)


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Backups go to the gateway, everything else to Django."""
    if scope["type"] == "http" and scope["path"].startswith(PREFIX):
        await gateway(scope, receive, send)
    else:
        await pages(scope, receive, send)
