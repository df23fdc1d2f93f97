"""restic's REST protocol: rest-server, ``rclone serve restic``, and the console's gateway.

Its source is restic's document "REST Backend". Objects lie in a flat scheme,
``data/<name>`` without the two-digit folder, ``config`` alone at the root.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from backup_agent.errors import ObjectNotFoundError, TransientStorageError
from backup_agent.storage.backend import (
    CONFIG,
    Data,
    FileKind,
    ObjectInfo,
    ObjectKey,
    is_object_name,
)
from backup_agent.storage.byte_range import ByteRange
from backup_agent.storage.failures import Failures
from backup_agent.storage.web_client import Login, TokenSource, WebClient

_DIRECT = {"X-Everboot-Redirect": "yes"}
"""Asks the console's gateway to send us to the storage itself for packs; others overlook it."""
_V2 = "application/vnd.x.restic.rest.v2"
_EXISTS = frozenset({403, 409})
_GONE = frozenset({404, 410})


class RestBackend:
    """Speaks version 2 of the protocol, and version 1 with servers that know no other."""

    def __init__(
        self,
        base: str,
        *,
        failures: Failures,
        login: Login | TokenSource,
        cacert: Path | None = None,
        certificate: str = "",
    ) -> None:
        self._failures = failures
        self._client = WebClient(
            base, failures, login=login, cacert=cacert, certificate=certificate
        )
        self._reads_directly = True

    @property
    def location(self) -> str:
        return self._failures.location

    @property
    def listing_may_lag(self) -> bool:
        return False

    def prepare(self) -> None:
        self._client.send("POST", "?create=true", what="the new repository")

    def save(self, key: ObjectKey, data: Data) -> None:
        url = _url(key)
        answer = self._client.send(
            "POST",
            url,
            what=key.path,
            data=data,
            headers={"Content-Type": "application/octet-stream"},
            accept=_EXISTS,
        )
        # An append-only server refuses to write a name twice. When our first try arrived and
        # only its answer was lost, everything is as it should be.
        if answer.status_code in _EXISTS and not self._client.holds(url, data, what=key.path):
            raise self._client.refused(answer, key.path)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        wanted = ByteRange(offset, length)
        if self._reads_directly and key.kind is FileKind.PACK and length != 0:
            url = _url(key)
            body = self._client.get_by_redirect(url, wanted, what=key.path, headers=_DIRECT)
            if body is not None:
                return body
            # Not every network that reaches the gateway reaches the storage behind it.
            self._reads_directly = False
        return self._client.get(_url(key), wanted, what=key.path)

    def size(self, key: ObjectKey) -> int:
        return self._client.head(_url(key), what=key.path)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        answer = self._client.send(
            "GET", f"{kind.value}/", what=kind.value, headers={"Accept": _V2}, accept=_GONE
        )
        if answer.status_code in _GONE:
            # rclone has no folder where no object is; a missing repository has no config either.
            self._require_repository()
            return
        try:
            if answer.headers.get("Content-Type", "").startswith(_V2):
                listed = msgspec.json.decode(answer.content, type=list[ObjectInfo])
            else:
                listed = list(self._measured(kind, answer.content))
        except msgspec.DecodeError as exc:
            raise TransientStorageError(
                f"{kind.value} in {self.location}: the listing cannot be read",
                hint="Check that the address leads to a restic REST server.",
            ) from exc
        yield from (info for info in listed if is_object_name(info.name))

    def remove(self, key: ObjectKey) -> None:
        self._client.send("DELETE", _url(key), what=key.path, accept=_GONE)

    def sweep(self) -> int:
        return 0

    def close(self) -> None:
        self._client.close()

    def _measured(self, kind: FileKind, listing: bytes) -> Iterator[ObjectInfo]:
        """Version 1 lists bare names: every size takes a question of its own."""
        for name in msgspec.json.decode(listing, type=list[str]):
            try:
                yield ObjectInfo(name, self.size(ObjectKey(kind, name)))
            except ObjectNotFoundError:
                continue  # removed by another client since it was listed

    def _require_repository(self) -> None:
        self.size(CONFIG)


def _url(key: ObjectKey) -> str:
    return f"{key.kind.value}/{key.name}" if key.name else key.kind.value
