"""Where one can be in the window."""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from backup_agent.qtkit.language import tr


class Place(Enum):
    """The pages, in the order of the navigation."""

    OVERVIEW = "overview"
    PLANS = "plans"
    RESTORE = "restore"
    ACTIVITY = "activity"
    MEDIA = "media"
    SETTINGS = "settings"


def name_of(place: Place) -> str:
    match place:
        case Place.OVERVIEW:
            return tr("Overview")
        case Place.PLANS:
            return tr("Plans")
        case Place.RESTORE:
            return tr("Restore")
        case Place.ACTIVITY:
            return tr("Activity")
        case Place.MEDIA:
            return tr("Rescue media")
        case Place.SETTINGS:
            return tr("Settings")
        case _:
            assert_never(place)


def icon_of(place: Place) -> str:
    """Its name in ``icons.svg``."""
    match place:
        case Place.OVERVIEW:
            return "house"
        case Place.PLANS:
            return "calendar-check"
        case Place.RESTORE:
            return "history"
        case Place.ACTIVITY:
            return "activity"
        case Place.MEDIA:
            return "usb-key"
        case Place.SETTINGS:
            return "settings-2"
        case _:
            assert_never(place)
