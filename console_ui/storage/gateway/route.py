"""What an address below ``/storage/`` means: nothing but the few forms of the protocol."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from backup_agent.services.vault import FileKind, ObjectKey

PREFIX = "/storage/"

_FORM = re.compile(
    r"/storage/(?P<vault>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/"
    r"(?:(?P<kind>config|keys|locks|snapshots|index|data)(?:/(?P<name>[0-9a-f]{64})?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Route:
    """A vault as a whole, all objects of a kind, or one object."""

    vault: uuid.UUID
    kind: FileKind | None = None
    name: str = ""

    @property
    def key(self) -> ObjectKey | None:
        """The object, if the address is that of one."""
        if self.kind is None or (self.kind is not FileKind.CONFIG and not self.name):
            return None
        return ObjectKey(self.kind, self.name)


def parse(path: str) -> Route | None:
    """None for everything that is no address of the gateway, path tricks included.

    ``path`` is already decoded, as ASGI gives it: a trick in disguise is none here.
    """
    found = _FORM.fullmatch(path)
    if found is None:
        return None
    kind, name = found["kind"], found["name"] or ""
    if kind == FileKind.CONFIG.value and not path.endswith("/config"):
        return None
    return Route(uuid.UUID(found["vault"]), FileKind(kind) if kind else None, name)
