"""What servers and networks say when something goes wrong, as Everboot's errors.

One table for all network backends, so that a full S3 bucket and a full WebDAV
share read alike, and so that a wrong clock is found wherever it is the cause.
No text of a library's exception is passed on: it may hold a URL or a header.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)

Now = Callable[[], datetime]

_TOLERATED_SKEW = timedelta(minutes=5)
"""S3 refuses signatures after 15 minutes, Kerberos after 5; a healthy clock is off by seconds."""

_CERTIFICATE_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL's x509_vfy.h
_CERTIFICATE_HAS_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED

# A TLS hello answered in plain HTTP; the second name is that of OpenSSL 3.2 and newer.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}

# Timeouts (408, 499), too early (425), locked by another client (423), a checksum that did
# not match what arrived (422, Swift), and two numbers for "too many requests" (429, 498).
_TRANSIENT = {408, 422, 423, 425, 429, 498, 499}
_NOT_IMPLEMENTED = 501
_FULL = {413, 507}

# S3 names the reason more exactly than the status does.
_S3_TRANSIENT = {
    "BadDigest",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}
_S3_FULL = {"QuotaExceeded", "InsufficientCapacity", "XMinioStorageFull"}
_S3_DENIED = {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_S3_OTHER_REGION = {"AuthorizationHeaderMalformed", "PermanentRedirect"}


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Failures:
    """Translates for one place.

    ``credentials`` names the variables a person should look at when the place
    refuses them; ``now`` is this computer's clock.
    """

    location: str
    credentials: str
    now: Now = utc_now

    def refused(
        self, what: str, status: int, *, code: str = "", date: str | None = None, words: str = ""
    ) -> StorageError:
        """The error for an answer with that HTTP ``status``.

        ``code`` is S3's own name for the error, ``date`` the answer's Date header,
        ``words`` what the server says of a full storage in its own words.
        """
        text = f"{what} in {self.location}: the server answered {status}"
        text += f" ({code})" if code else ""
        if code == "RequestTimeTooSkewed":
            return self._wrong_clock(what, _parse_date(date))
        if code in _S3_OTHER_REGION:
            return StorageError(
                text, hint="The bucket lies in another region: set AWS_DEFAULT_REGION to it."
            )
        if code in _S3_FULL or status in _FULL:
            return StorageFullError(
                f"{text}: {words}" if words else text,
                hint="Free some space there (everboot forget --prune) or raise the quota.",
            )
        if code in _S3_TRANSIENT or status in _TRANSIENT:
            return TransientStorageError(text, hint="Try again later.")
        if code in _S3_DENIED or status in (401, 403):
            return self._denied(what, text, date)
        if status == 404:
            return ObjectNotFoundError(f"{what} is not in {self.location}")
        if status >= 500 and status != _NOT_IMPLEMENTED:
            return TransientStorageError(text, hint="Try again later.")
        if 300 <= status < 400:
            return StorageError(
                f"{text}: it refers to another address",
                hint="Enter the address it refers to: often https:// where this one says http://.",
            )
        return StorageError(text, hint="Check that the address leads to such a server.")

    def unreachable(self, what: str, error: BaseException) -> StorageError:
        """The error for an exchange that broke off or never began."""
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return self._untrusted(cause)
            if isinstance(cause, ssl.SSLError) and cause.reason in _NOT_TLS:
                return StorageError(
                    f"{self.location} does not speak TLS on that port.",
                    hint="Check the port, or write http:// if the server has no encryption.",
                )
        return TransientStorageError(
            f"{what}: no complete answer from {self.location} ({_reason(error)})",
            hint="Check the address and the network, then try again.",
        )

    def short(self, what: str, *, wanted: int, got: int) -> TransientStorageError:
        """The error for a body that ended too early."""
        return short_body(f"{what} in {self.location}", wanted=wanted, got=got)

    def container_missing(self, noun: str, name: str) -> ObjectNotFoundError:
        """The error for a missing bucket, container or folder."""
        return ObjectNotFoundError(
            f"There is no {noun} {name!r} at {self.location}.",
            hint=f"Check the address; everboot init creates the {noun}.",
        )

    def _denied(self, what: str, text: str, date: str | None) -> StorageError:
        theirs = _parse_date(date)
        if theirs is not None and abs(theirs - self.now()) > _TOLERATED_SKEW:
            return self._wrong_clock(what, theirs)
        return AccessDeniedError(text, hint=f"Check {self.credentials}, and what they may do.")

    def _wrong_clock(self, what: str, theirs: datetime | None) -> AccessDeniedError:
        server = "another time" if theirs is None else _show(theirs)
        return AccessDeniedError(
            f"{what}: {self.location} refuses us because of the clock: this computer says "
            f"{_show(self.now())}, the server {server}.",
            hint="Set this computer's date, time and time zone, then try again.",
        )

    def _untrusted(self, error: ssl.SSLCertVerificationError) -> StorageError:
        ours = _show(self.now())
        match error.verify_code:
            case code if code == _CERTIFICATE_NOT_YET_VALID:
                text = f"is not yet valid; this computer's clock says {ours} and is probably wrong"
                hint = "Set this computer's date and time, then try again."
            case code if code == _CERTIFICATE_HAS_EXPIRED:
                text = f"has expired, or this computer's clock is wrong: it says {ours}"
                hint = "Check this computer's date and time; if they are right, the server's "
                hint += "certificate must be renewed."
            case _:
                text = f"is not trusted ({error.verify_message})"
                hint = "For a private certificate give its authority with --cacert FILE."
        return StorageError(f"The certificate of {self.location} {text}.", hint=hint)


def short_body(what: str, *, wanted: int, got: int) -> TransientStorageError:
    """The error for fewer bytes than asked for, wherever they come from."""
    return TransientStorageError(f"{what}: {wanted} bytes were asked for, {got} came")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all it stems from, inner ones last.

    urllib3 and requests keep the cause in ``reason`` or as an argument instead of chaining it.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _reason(error: BaseException) -> str:
    """The operating system's word for it if there is one, else what kind of error it was."""
    words = [c.strerror for c in _causes(error) if isinstance(c, OSError) and c.errno is not None]
    return next((w for w in reversed(words) if w), type(error).__name__)


def _parse_date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _show(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
