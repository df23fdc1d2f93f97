"""Whether the clock is why something failed, from the error and what servers say."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from rescue_media.clock.setting import EARLIEST

TOLERANCE = timedelta(minutes=5)
"""S3 refuses signatures that are older than 15 minutes, Keystone's tokens less."""

# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL.
_VALIDITY_CODES = {9, 10}
# The same, where only the words are left of it; then S3's names for late and early signatures.
_SIGNS = (
    *("certificate is not yet valid", "certificate has expired"),
    *("RequestTimeTooSkewed", "RequestExpired", "AuthorizationQueryParametersError"),
    *("Signature not yet current", "Signature expired"),
)


def clock_to_blame(error: BaseException, now: datetime) -> str:
    """A sentence that names the clock, or nothing where it is not to blame."""
    if not any(_is_about_time(one) for one in _chain(error)):
        return ""
    shown = f"{now.astimezone(UTC):%A %d %B %Y, %H:%M} UTC"
    if now < EARLIEST:
        return f"The clock of this computer is wrong: it shows {shown}. Set date and time."
    return (
        f"The clock of this computer shows {shown}. If that is wrong, set date and time; "
        "if it is right, the server's certificate is out of date."
    )


def clock_error(date_header: str, now: datetime) -> timedelta | None:
    """How far the clock is ahead of a server's, by the ``Date`` it sent with an answer.

    ``None`` where it is right within :data:`TOLERANCE`, or the header makes no sense.
    """
    try:
        theirs = parsedate_to_datetime(date_header)
    except ValueError:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    ahead = now - theirs
    return ahead if abs(ahead) > TOLERANCE else None


def _is_about_time(error: BaseException) -> bool:
    # Only OpenSSL's own errors carry a code.
    code = getattr(error, "verify_code", None)
    if isinstance(error, ssl.SSLCertVerificationError) and code in _VALIDITY_CODES:
        return True
    words = str(error).lower()
    return any(sign.lower() in words for sign in _SIGNS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: set[int] = set()
    pending: BaseException | None = error
    while pending is not None and id(pending) not in seen:
        seen.add(id(pending))
        yield pending
        pending = pending.__cause__ or pending.__context__
