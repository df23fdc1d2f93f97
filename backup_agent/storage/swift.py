"""A repository in a container of OpenStack Swift.

Object names are the prefix and restic's default layout, so that stock restic
finds the same repository at the same ``swift:`` address.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Any
from urllib.parse import quote, urlsplit

from keystoneauth1.exceptions import ClientException as KeystoneError
from keystoneauth1.exceptions import ConnectionError as KeystoneConnectionError
from keystoneauth1.exceptions import HttpError as KeystoneHttpError
from requests.exceptions import RequestException
from swiftclient.client import Connection
from swiftclient.exceptions import ClientException
from urllib3.exceptions import HTTPError

from backup_agent.errors import AccessDeniedError, ObjectNotFoundError, StorageError
from backup_agent.storage.backend import Data, FileKind, ObjectInfo, ObjectKey, is_object_name
from backup_agent.storage.byte_range import RANGE_NOT_SATISFIABLE, ByteRange
from backup_agent.storage.direct import sign_read
from backup_agent.storage.failures import Failures

_BROKEN_OFF = (
    KeystoneConnectionError,
    RequestException,
    HTTPError,
    OSError,
    ValueError,  # half a listing is no JSON
)
_TEMPURL_KEY = "X-Container-Meta-Temp-Url-Key"
_PAGE = 10_000  # Swift's own default for container_listing_limit


class SwiftBackend:
    """Objects in one container. ``connect`` makes a connection, already told how to log in.

    A swiftclient connection serves one thread at a time: they are lent out and kept for the next.
    """

    def __init__(
        self, container: str, prefix: str, *, failures: Failures, connect: Callable[[], Connection]
    ) -> None:
        self._container = container
        self._prefix = prefix
        self._failures = failures
        self._connect = connect
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        return self._failures.location

    @property
    def listing_may_lag(self) -> bool:
        # Servers write container listings later, when the container's own server is away.
        return True

    def prepare(self) -> None:
        try:
            with self._connection("the container", missing_is_container=True) as swift:
                swift.head_container(self._container)
        except AccessDeniedError:
            # A credential that is confined to objects may not ask; the first save will tell.
            return
        except ObjectNotFoundError:
            with self._connection("the new container") as swift:
                swift.put_container(self._container)

    def save(self, key: ObjectKey, data: Data) -> None:
        # Swift refuses the object (422) when its MD5 is not that of what arrived.
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        with self._connection(key.path, missing_is_container=True) as swift:
            swift.put_object(
                *self._at(key),
                # Not bytes: swiftclient only sends again what it can rewind.
                io.BytesIO(data),
                content_length=len(data),
                etag=etag,
                content_type="application/octet-stream",
            )

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        if length == 0:
            self.size(key)
            return b""
        body = self._get(key, ByteRange(offset, length))
        if length is not None and len(body) < length:
            raise self._failures.short(key.path, wanted=length, got=len(body))
        return body

    def size(self, key: ObjectKey) -> int:
        with self._connection(key.path) as swift:
            return int(swift.head_object(*self._at(key))["content-length"])

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        marker = ""
        while page := self._page(self._name(f"{kind.value}/"), marker):
            for entry in page:
                name = entry["name"].rpartition("/")[2]
                if is_object_name(name):
                    yield ObjectInfo(name, entry["bytes"])
            marker = page[-1]["name"]

    def remove(self, key: ObjectKey) -> None:
        with (
            contextlib.suppress(ObjectNotFoundError),
            self._connection(key.path) as swift,
        ):
            swift.delete_object(*self._at(key))

    def read_address(self, key: ObjectKey, *, seconds: int) -> str:
        with self._connection("the container", missing_is_container=True) as swift:
            # A reading of the container tells the address of the account, too.
            headers = swift.head_container(self._container)
            secret = headers.get(_TEMPURL_KEY.lower())
            if not secret:
                secret = token_hex(32)
                swift.post_container(self._container, {_TEMPURL_KEY: secret})
            account = urlsplit(swift.url)
        container, name = (quote(part) for part in self._at(key))
        path = f"{account.path}/{container}/{name}"
        query = sign_read(path, secret.encode(), expires=int(time.time()) + seconds)
        return f"{account.scheme}://{account.netloc}{path}?{query}"

    def sweep(self) -> int:
        return 0

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for swift in idle:
            swift.close()

    def _get(self, key: ObjectKey, wanted: ByteRange) -> bytes:
        answer: dict[str, int] = {}
        with self._connection(key.path) as swift:
            try:
                headers, body = swift.get_object(
                    *self._at(key),
                    headers={"Range": wanted.header} if wanted.header else None,
                    response_dict=answer,
                )
            except ClientException as exc:
                if exc.http_status == RANGE_NOT_SATISFIABLE:
                    return b""
                raise
        promised = int(headers.get("content-length", len(body)))
        if len(body) < promised:
            raise self._failures.short(key.path, wanted=promised, got=len(body))
        return wanted.cut(answer["status"], body)

    def _page(self, prefix: str, marker: str) -> Sequence[Mapping[str, Any]]:
        with self._connection(prefix, missing_is_container=True) as swift:
            entries: Sequence[Mapping[str, Any]]
            _headers, entries = swift.get_container(
                self._container, prefix=prefix, marker=marker, limit=_PAGE
            )
        return entries

    def _name(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _at(self, key: ObjectKey) -> tuple[str, str]:
        return self._container, self._name(key.path)

    @contextlib.contextmanager
    def _connection(self, what: str, *, missing_is_container: bool = False) -> Iterator[Connection]:
        """Lend a connection to this thread, and translate its errors into Everboot's.

        ``missing_is_container``: a 404 means the container, as for all but reading an object.
        """
        with self._lock:
            swift = self._idle.pop() if self._idle else self._connect()
        try:
            yield swift
        except ClientException as exc:
            # The answer was read to its end: the connection is fit for the next request.
            self._take_back(swift)
            if exc.http_status == 404 and missing_is_container:
                raise self._failures.container_missing("container", self._container) from exc
            raise self._refused(what, exc.http_status, exc.http_response_headers) from exc
        except KeystoneHttpError as exc:
            swift.close()
            headers = None if exc.response is None else exc.response.headers
            raise self._refused("the login", exc.http_status, headers) from exc
        except _BROKEN_OFF as exc:
            swift.close()
            raise self._failures.unreachable(what, exc) from exc
        except KeystoneError as exc:
            swift.close()
            raise self._refused("the login", None, None) from exc
        else:
            self._take_back(swift)

    def _take_back(self, swift: Connection) -> None:
        with self._lock:
            self._idle.append(swift)

    def _refused(
        self, what: str, status: int | None, headers: Mapping[str, str] | None
    ) -> StorageError:
        if not status:
            return StorageError(
                f"{what}: the login at {self.location} leads to no object store",
                hint="Check OS_AUTH_URL and OS_REGION_NAME, or ST_AUTH.",
            )
        return self._failures.refused(what, status, date=(headers or {}).get("Date"))
