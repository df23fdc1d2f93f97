"""One HTTP client for the REST and WebDAV backends: httpx, set up for large bodies.

httpx's client is safe to share between threads; its pool grows with them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from backup_agent.errors import ObjectNotFoundError, StorageError
from backup_agent.storage.authorities import tls_context
from backup_agent.storage.backend import Data
from backup_agent.storage.byte_range import RANGE_NOT_SATISFIABLE, ByteRange
from backup_agent.storage.failures import Failures

_TIMEOUT = httpx.Timeout(60, connect=5, pool=None)
_UNAUTHORIZED = 401
_FULL = 507
_MOST_WORDS = 500
_POOL = httpx.Limits(max_connections=64, max_keepalive_connections=64)


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password for HTTP Basic; both may be empty."""

    user: str = ""
    password: str = field(default="", repr=False)


class TokenSource(Protocol):
    """Gives tokens that live for minutes (RFC 6750); several threads may ask at once."""

    def current(self) -> str:
        """One that is good for a while yet. Raises ``LinkError``, ``StorageError``."""
        ...

    def instead_of(self, refused: str) -> str:
        """Another one, because the server did not take this one."""
        ...

    def close(self) -> None:
        """No more tokens are needed."""
        ...


class _Bearer(httpx.Auth):
    """Sends a token, and once more another one where the first was not taken."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._tokens.current()
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == _UNAUTHORIZED:
            request.headers["Authorization"] = f"Bearer {self._tokens.instead_of(token)}"
            yield request


class WebClient:
    """Sends requests below one base address and raises Everboot's errors.

    ``base`` ends in a slash and holds no credentials. ``certificate`` (PEM), if given, is the
    only one that the server may show.
    """

    def __init__(
        self,
        base: str,
        failures: Failures,
        *,
        login: Login | TokenSource,
        cacert: Path | None = None,
        certificate: str = "",
    ) -> None:
        self.failures = failures
        self._login = login
        self._http = httpx.Client(
            base_url=base,
            auth=_auth(login),
            # The stored bytes, never a compressed form of them: offsets count those.
            headers={"Accept-Encoding": "identity"},
            verify=tls_context(cacert, pinned=certificate),
            limits=_POOL,
            timeout=_TIMEOUT,
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        what: str,
        data: Data | None = None,
        headers: Mapping[str, str] | None = None,
        accept: frozenset[int] = frozenset(),
    ) -> httpx.Response:
        """The complete answer, if it is a success or its status is in ``accept``.

        ``what`` names the object in messages. Only reading follows redirects:
        to repeat an upload elsewhere is not for the server to decide.
        """
        try:
            answer = self._http.request(
                method,
                path,
                content=None if data is None else bytes(data),
                headers=headers,
                follow_redirects=method in ("GET", "HEAD"),
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise self.failures.unreachable(what, exc) from exc
        if answer.is_success or answer.status_code in accept:
            return answer
        raise self.refused(answer, what)

    def refused(self, answer: httpx.Response, what: str) -> StorageError:
        date, words = answer.headers.get("Date"), _words_of(answer)
        return self.failures.refused(what, answer.status_code, date=date, words=words)

    def get(self, path: str, wanted: ByteRange, *, what: str) -> bytes:
        """That part of the object; raises ``TransientStorageError`` when it is shorter."""
        if wanted.length == 0:
            self.head(path, what=what)
            return b""
        answer = self.send(
            "GET",
            path,
            what=what,
            headers=_range(wanted),
            accept=frozenset({RANGE_NOT_SATISFIABLE}),
        )
        return self._part(answer, wanted, what)

    def get_by_redirect(
        self, path: str, wanted: ByteRange, *, what: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """As ``get``, from wherever the server sends us; ``None`` when that leads to nothing.

        Nobody but the server gets to see our credentials.
        """
        asking = self._http.build_request("GET", path, headers={**headers, **_range(wanted)})
        try:
            answer = self._http.send(asking, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise self.failures.unreachable(what, exc) from exc
        if answer.next_request is None:
            if answer.is_success or answer.status_code == RANGE_NOT_SATISFIABLE:
                return self._part(answer, wanted, what)
            raise self.refused(answer, what)
        try:
            answer = self._http.send(answer.next_request, auth=None, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return None
        return self._part(answer, wanted, what) if answer.is_success else None

    def _part(self, answer: httpx.Response, wanted: ByteRange, what: str) -> bytes:
        if answer.status_code == RANGE_NOT_SATISFIABLE:
            body = b""
        else:
            body = wanted.cut(answer.status_code, answer.content)
        if wanted.length is not None and len(body) < wanted.length:
            raise self.failures.short(what, wanted=wanted.length, got=len(body))
        return body

    def head(self, path: str, *, what: str) -> int:
        """The object's length in bytes."""
        answer = self.send("HEAD", path, what=what)
        try:
            return int(answer.headers["Content-Length"])
        except (KeyError, ValueError):
            raise StorageError(
                f"{what} in {self.failures.location}: the server does not tell its length",
                hint="Check that the address leads to such a server.",
            ) from None

    def holds(self, path: str, data: Data, *, what: str) -> bool:
        """Whether exactly these bytes are stored there already."""
        try:
            return self.get(path, ByteRange(), what=what) == data
        except ObjectNotFoundError:
            return False

    def close(self) -> None:
        self._http.close()
        if not isinstance(self._login, Login):
            self._login.close()


def _auth(login: Login | TokenSource) -> httpx.Auth | None:
    if not isinstance(login, Login):
        return _Bearer(login)
    return httpx.BasicAuth(login.user, login.password) if login.user or login.password else None


def _range(wanted: ByteRange) -> dict[str, str]:
    return {"Range": wanted.header} if wanted.header else {}


def _words_of(answer: httpx.Response) -> str:
    """What a server with a quota says in plain text: it alone knows what is full and what helps."""
    is_plain = answer.headers.get("Content-Type", "").startswith("text/plain")
    if answer.status_code != _FULL or not is_plain:
        return ""
    return " ".join(answer.text.split())[:_MOST_WORDS]
