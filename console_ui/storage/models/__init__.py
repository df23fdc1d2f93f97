"""The tables of this app, one file for each noun."""

from console_ui.storage.models.alarm import Alarm, Reason
from console_ui.storage.models.lease import Lease
from console_ui.storage.models.location import Location, LocationKind
from console_ui.storage.models.stored_object import State, StoredObject
from console_ui.storage.models.upload import Upload
from console_ui.storage.models.vault import Vault

__all__ = [
    "Alarm",
    "Lease",
    "Location",
    "LocationKind",
    "Reason",
    "State",
    "StoredObject",
    "Upload",
    "Vault",
]
