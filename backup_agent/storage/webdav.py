"""A repository on a WebDAV share (RFC 4918): Nextcloud, NAS boxes, plain web servers.

WebDAV's PUT may be seen half done, so objects are put under another name and
moved. If-None-Match would be shorter, but common servers ignore it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

from backup_agent.errors import StorageError, TransientStorageError
from backup_agent.storage.backend import (
    REMAINS_AGE_SECONDS,
    TEMPORARY,
    Data,
    FileKind,
    ObjectInfo,
    ObjectKey,
    is_object_name,
    is_temporary_name,
)
from backup_agent.storage.byte_range import ByteRange
from backup_agent.storage.failures import Failures
from backup_agent.storage.web_client import Login, WebClient
from backup_agent.storage.webdav_listing import QUESTION, Entry, parse_listing

_NOT_FOUND = 404
_METHOD_NOT_ALLOWED = 405  # RFC 4918 9.3.1: MKCOL on something that exists
_CONFLICT = 409  # RFC 4918 9.7.1: PUT into a folder that does not exist
_PRECONDITION_FAILED = 412  # RFC 4918 9.9.4: MOVE without overwriting, and the name is taken

_NO_FOLDER = frozenset({_CONFLICT, _NOT_FOUND})
_PACK_FOLDERS = {f"{number:02x}" for number in range(256)}


class WebdavBackend:
    """Objects as files below ``base``, in restic's default layout. ``base`` ends in a slash."""

    def __init__(
        self,
        base: str,
        *,
        failures: Failures,
        login: Login,
        cacert: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._base = base
        self._failures = failures
        self._clock = clock
        self._client = WebClient(base, failures, login=login, cacert=cacert)
        self._pack_folders: set[str] = set()

    @property
    def location(self) -> str:
        return self._failures.location

    @property
    def listing_may_lag(self) -> bool:
        return False

    def prepare(self) -> None:
        self._make_with_parents(self._base)
        for kind in FileKind:
            if kind is not FileKind.CONFIG:
                self._make_folder(f"{kind.value}/")

    def save(self, key: ObjectKey, data: Data) -> None:
        # The temporary name is no object name, so a crash leaves nothing that a listing shows.
        temporary = f"{key.path}{TEMPORARY}{token_hex(8)}"
        self._put(temporary, key, data)
        try:
            self._move(temporary, key, data)
        except BaseException:
            with contextlib.suppress(StorageError):
                self._delete(temporary)
            raise

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._client.get(key.path, ByteRange(offset, length), what=key.path)

    def size(self, key: ObjectKey) -> int:
        return self._client.head(key.path, what=key.path)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        folder = f"{kind.value}/"
        entries = self._entries(folder)
        yield from _objects(entries)
        if kind is FileKind.PACK:
            for inner in entries:
                if inner.is_folder and inner.name in _PACK_FOLDERS:
                    yield from _objects(self._entries(f"{folder}{inner.name}/"))

    def remove(self, key: ObjectKey) -> None:
        self._delete(key.path)

    def sweep(self) -> int:
        oldest_allowed = self._clock() - REMAINS_AGE_SECONDS
        swept = 0
        for folder, entries in self._folders():
            for entry in entries:
                # A save may be under way, whatever the program that does it thinks of locks.
                if is_temporary_name(entry.name) and entry.changed < oldest_allowed:
                    self._delete(f"{folder}{entry.name}")
                    swept += 1
        return swept

    def close(self) -> None:
        self._client.close()

    def _put(self, temporary: str, key: ObjectKey, data: Data) -> None:
        folder = f"{key.path.rpartition('/')[0]}/"
        # Only a pack's two-digit folder is made on the way; a vanished root stays an error.
        # Beforehand, and not when a PUT finds it missing: servers say so without reading the
        # pack and hang up, and the answer may be lost with the connection, every time anew.
        if key.kind is FileKind.PACK and folder not in self._pack_folders:
            self._make_folder(folder)
            self._pack_folders.add(folder)
        answer = self._client.send(
            "PUT",
            temporary,
            what=key.path,
            data=data,
            headers={"Content-Type": "application/octet-stream"},
            accept=_NO_FOLDER,
        )
        if not answer.is_success:
            self._pack_folders.discard(folder)
            raise self._failures.container_missing("folder", folder)

    def _move(self, temporary: str, key: ObjectKey, data: Data) -> None:
        """Give the upload its name. One that is taken is replaced only if it is not whole."""
        headers = {"Destination": f"{self._base}{key.path}", "Overwrite": "F"}
        answer = self._client.send(
            "MOVE",
            temporary,
            what=key.path,
            headers=headers,
            accept=frozenset({_PRECONDITION_FAILED}),
        )
        if answer.is_success:
            return
        if self._client.holds(key.path, data, what=key.path):
            self._delete(temporary)
        else:
            self._client.send(
                "MOVE", temporary, what=key.path, headers={**headers, "Overwrite": "T"}
            )

    def _delete(self, path: str) -> None:
        self._client.send("DELETE", path, what=path, accept=frozenset({_NOT_FOUND}))

    def _entries(self, folder: str) -> Sequence[Entry]:
        answer = self._client.send(
            "PROPFIND",
            folder,
            what=folder,
            data=QUESTION,
            headers={"Depth": "1", "Content-Type": "application/xml; charset=utf-8"},
        )
        try:
            return parse_listing(answer.content)
        except ValueError as exc:
            raise TransientStorageError(
                f"{folder} in {self.location}: {exc}",
                hint="Check that the address leads to a WebDAV folder.",
            ) from exc

    def _folders(self) -> Iterator[tuple[str, Sequence[Entry]]]:
        """Every folder of a repository, its root first, and what is in it."""
        packs = f"{FileKind.PACK.value}/"
        waiting = ["", *(f"{kind.value}/" for kind in FileKind if kind is not FileKind.CONFIG)]
        for folder in waiting:
            entries = self._entries(folder)
            yield folder, entries
            if folder == packs:
                inner = (entry.name for entry in entries if entry.is_folder)
                waiting += [f"{packs}{name}/" for name in inner if name in _PACK_FOLDERS]

    def _make_folder(self, url: str) -> None:
        """Create a folder, named below the base or by its full URL; it may exist."""
        answer = self._client.send(
            "MKCOL", url, what=url, accept=_NO_FOLDER | {_METHOD_NOT_ALLOWED}
        )
        if answer.status_code in _NO_FOLDER:
            raise self._failures.container_missing(
                "folder", f"{url.rstrip('/').rpartition('/')[0]}/"
            )

    def _make_with_parents(self, url: str) -> None:
        """Create a folder and those above it that are missing."""
        answer = self._client.send(
            "MKCOL", url, what="the folder", accept=_NO_FOLDER | {_METHOD_NOT_ALLOWED}
        )
        if answer.status_code in _NO_FOLDER:
            parent = url.rstrip("/").rpartition("/")[0] + "/"
            if not urlsplit(parent).path.strip("/"):
                raise self._client.refused(answer, "the folder")
            self._make_with_parents(parent)
            self._make_folder(url)


def _objects(entries: Sequence[Entry]) -> Iterator[ObjectInfo]:
    for entry in entries:
        if not entry.is_folder and is_object_name(entry.name):
            yield ObjectInfo(entry.name, entry.size)
