"""What a device asks of its console over HTTP: the one door to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TypeVar

import httpx
import msgspec

from backup_agent.crypto.signature import SigningKey, fingerprint
from backup_agent.errors import (
    LinkError,
    LinkRefusedError,
    StorageError,
    TransientStorageError,
    UsageError,
)
from backup_agent.services.link.assertion import (
    ASSERTION_TYPE,
    encode_public_key,
    make,
    short_fingerprint,
)
from backup_agent.services.link.identity import Console
from backup_agent.storage.authorities import authorities_file, tls_context
from backup_agent.storage.failures import Failures
from backup_agent.storage.web_client import TokenSource

Clock = Callable[[], float]
"""Seconds since 1970."""

_DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT_SECONDS, _CONNECT_SECONDS = 30.0, 10.0
_TIMEOUT = httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER_ERROR = 401, 404, 409, 429, 500


class Codes(msgspec.Struct, frozen=True):
    """RFC 8628, 3.2. ``device_code`` is a secret; times in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int = 5

    def __repr__(self) -> str:
        return f"Codes(user_code={self.user_code!r})"


class Token(msgspec.Struct, frozen=True):
    """An access token, and who it says we are."""

    access_token: str
    expires_in: int
    scope: str
    device_id: str
    device_name: str
    organisation: str

    def __repr__(self) -> str:
        return f"Token(device_id={self.device_id!r})"


class VaultEntry(msgspec.Struct, frozen=True):
    """A vault that this device may reach; ``path`` is below the console's address."""

    id: str
    name: str
    path: str
    right: str
    device_id: str


class _Refusal(msgspec.Struct, frozen=True):
    """As the OAuth endpoints say no, or with ``code`` as the API does."""

    error: str = ""
    error_description: str = ""
    code: str = ""
    message: str = ""


class _Vaults(msgspec.Struct, frozen=True):
    vaults: list[VaultEntry]


class _Password(msgspec.Struct, frozen=True):
    password: str


_Answer = TypeVar("_Answer", Codes, Token, _Vaults, _Password)


class OauthError(LinkError):
    """The console's answer to a token request: ``error`` as the standards name it."""

    code = "link.oauth"

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message, hint="everboot link --status shows how things are.")
        self.error = error


class ConsoleClient:
    """Speaks for the owner of ``key``. Several threads may share one.

    A computer whose clock is wrong (rescue media are started on many) signs with the console's
    time, which it learns from the first answer.
    """

    def __init__(
        self,
        console: Console,
        key: SigningKey,
        environment: Mapping[str, str],
        *,
        clock: Clock = time.time,
    ) -> None:
        """``environment`` may name authorities. Raises ``UsageError`` for a file without any."""
        self.console = console
        self._key = key
        self._clock = clock
        self._clock_is_late_by = 0.0
        self._failures = Failures(console.address, "this device's link")
        authorities = authorities_file("https", environment, cacert=console.cacert)
        self._http = httpx.Client(
            base_url=console.address,
            verify=tls_context(authorities, pinned=console.certificate),
            timeout=_TIMEOUT,
        )

    def __enter__(self) -> ConsoleClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @property
    def short_fingerprint(self) -> str:
        """What the console shows of our key, for people to compare."""
        return short_fingerprint(fingerprint(self._key.public_key))

    def ask_for_codes(self, *, name: str, system: str, scope: str, media_code: str = "") -> Codes:
        """Begin to be linked. Raises ``LinkError``, ``StorageError``."""
        fields = {
            "public_key": encode_public_key(self._key.public_key),
            "device_name": name,
            "system": system,
            "scope": scope,
        }
        if media_code:
            fields["media_code"] = media_code
        return self._decode(self._signed("/oauth/device_authorization", fields), Codes)

    def redeem(self, device_code: str) -> Token:
        """The first token. Raises ``OauthError`` with RFC 8628's codes until it is there."""
        fields = {"grant_type": _DEVICE_CODE_GRANT, "device_code": device_code}
        return self._decode(self._signed("/oauth/token", fields), Token)

    def fresh_token(self) -> Token:
        """One more, for a device that is linked. Raises ``LinkRefusedError`` for one that is not
        any more, ``StorageError`` where the console cannot be reached.
        """
        try:
            answer = self._signed("/oauth/token", {"grant_type": "client_credentials"})
        except OauthError as exc:
            raise LinkRefusedError(
                f"{self.console.address} does not know this device any more.",
                hint="It was removed, or its time is over. Link it again: "
                "everboot link --unlink, then everboot link CONSOLE_URL.",
            ) from exc
        return self._decode(answer, Token)

    def vaults(self, token: str) -> list[VaultEntry]:
        return self._decode(self._send("GET", "/api/v1/device/vaults", token), _Vaults).vaults

    def managed_password(self, token: str, device_id: str) -> str | None:
        """What the console keeps for that device's vault; None where it keeps or gives nothing."""
        path = f"/api/v1/devices/{device_id}/managed-password"
        answer = self._request("GET", path, headers=_bearer(token))
        if answer.status_code == _NOT_FOUND:
            return None
        return self._decode(self._accepted(answer), _Password).password

    def keep_managed_password(self, token: str, password: str, *, key: str) -> None:
        """``key`` is the name of the key file that it opens. Raises ``UsageError`` where the
        console keeps one already.
        """
        path, content = "/api/v1/device/managed-password", _json(password=password, key=key)
        answer = self._request("PUT", path, headers=_bearer(token), content=content)
        if answer.status_code == _CONFLICT:
            raise UsageError(
                f"{self.console.address} keeps a password of this vault already.",
                hint="It opens the vault. An owner can take it back, on the vault's page.",
            )
        self._accepted(answer)

    def exchange(
        self,
        method: str,
        path: str,
        tokens: TokenSource,
        *,
        content: bytes | None = None,
        patience_seconds: float = 0,
    ) -> bytes:
        """One question to the API, and its answer's body. A token that is refused is renewed once.

        ``patience_seconds``: how much longer than usual the answer may take. Raises
        ``LinkRefusedError``, ``LinkError``, ``StorageError``.
        """
        token = tokens.current()
        timeout = httpx.Timeout(_TIMEOUT_SECONDS + patience_seconds, connect=_CONNECT_SECONDS)
        answer = self._request(
            method, path, headers=_bearer(token), content=content, timeout=timeout
        )
        if answer.status_code == _UNAUTHORIZED:
            token = tokens.instead_of(token)
            answer = self._request(
                method, path, headers=_bearer(token), content=content, timeout=timeout
            )
        return self._accepted(answer).content

    def leave(self, token: str) -> None:
        """Tell the console that this device is linked no longer."""
        self._send("DELETE", "/api/v1/device", token)

    def _signed(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """Send a form with a fresh proof; once more if our clock was the reason to refuse it."""
        answer = self._post(path, fields)
        if answer.status_code == _UNAUTHORIZED and self._learn_time(answer):
            answer = self._post(path, fields)
        return self._accepted(answer)

    def _post(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        now = self._clock() + self._clock_is_late_by
        form = {
            **fields,
            "client_id": fingerprint(self._key.public_key),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": make(self._key, audience=self.console.address, now=now),
        }
        return self._request("POST", path, data=form)

    def _send(self, method: str, path: str, token: str) -> httpx.Response:
        return self._accepted(self._request(method, path, headers=_bearer(token)))

    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> httpx.Response:
        try:
            return self._http.request(
                method, path, headers=headers, data=data, content=content, timeout=timeout
            )
        except (httpx.HTTPError, OSError) as exc:
            raise self._failures.unreachable("the console", exc) from exc

    def _accepted(self, answer: httpx.Response) -> httpx.Response:
        """Raises ``OauthError`` where the console says why not."""
        if answer.is_success:
            return answer
        if answer.status_code >= _SERVER_ERROR or answer.status_code == _TOO_MANY:
            raise TransientStorageError(
                f"{self.console.address} answers {answer.status_code}.", hint="Try again later."
            )
        try:
            refusal = msgspec.json.decode(answer.content, type=_Refusal)
        except msgspec.DecodeError:
            raise self._no_console() from None
        why = refusal.error_description or refusal.message or refusal.code
        raise OauthError(refusal.error, f"{self.console.address} refuses: {why}")

    def _decode(self, answer: httpx.Response, wanted: type[_Answer]) -> _Answer:
        try:
            return msgspec.json.decode(answer.content, type=wanted)
        except msgspec.DecodeError as exc:
            raise self._no_console() from exc

    def _no_console(self) -> StorageError:
        return StorageError(
            f"{self.console.address} does not answer like an Everboot console.",
            hint="Check the address; it is what the browser shows, without a path.",
        )

    def _learn_time(self, answer: httpx.Response) -> bool:
        """Whether the answer told another time than ours; HTTP dates have whole seconds."""
        try:
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (KeyError, ValueError):
            return False
        late_by = theirs - self._clock()
        changed = abs(late_by - self._clock_is_late_by) > 1
        self._clock_is_late_by = late_by
        return changed


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _json(**fields: str) -> bytes:
    return msgspec.json.encode(fields)
