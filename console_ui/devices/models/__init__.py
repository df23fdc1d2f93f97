"""The tables of this app, one file for each noun."""

from console_ui.devices.models.access_token import AccessToken, UsedAssertion
from console_ui.devices.models.device import Device, Kind, ReadGrant
from console_ui.devices.models.link_request import Answer, LinkRequest
from console_ui.devices.models.managed_password import ManagedPassword
from console_ui.devices.models.media_code import MediaCode

__all__ = [
    "AccessToken",
    "Answer",
    "Device",
    "Kind",
    "LinkRequest",
    "ManagedPassword",
    "MediaCode",
    "ReadGrant",
    "UsedAssertion",
]
