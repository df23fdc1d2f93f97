"""Who did something, in the words that stay readable when the account is gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of somebody acts."""

    PERSON = "person"
    DEVICE = "device"
    CONSOLE = "console"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """``id`` and ``name`` as they are now; ``address`` is where the request came from."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    address: str = ""


THE_CONSOLE = Actor(kind=ActorKind.CONSOLE, name="console")
