"""Addresses from which one object can be read for a while, without credentials.

S3 calls them presigned, Swift TempURL. Only reading: whoever has an address to write to
could overwrite what is there.
"""

from __future__ import annotations

import hmac
from typing import Protocol, runtime_checkable
from urllib.parse import urlencode

from backup_agent.storage.backend import ObjectKey


@runtime_checkable
class DirectReads(Protocol):
    """A backend that can let others read from the place itself."""

    def read_address(self, key: ObjectKey, *, seconds: int) -> str:
        """A URL that answers GET with that object (or a range of it) for so long.

        It is made whether or not the object exists. Raises ``StorageError``.
        """
        ...

    def close(self) -> None: ...


def sign_read(path: str, secret: bytes, *, expires: int) -> str:
    """The query of a Swift TempURL for GET (and HEAD), by the middleware's documentation.

    ``path`` is quoted and begins with the version; ``expires`` is in seconds since 1970.
    """
    text = f"GET\n{expires}\n{path}"
    signature = hmac.new(secret, text.encode(), "sha256").hexdigest()
    return urlencode({"temp_url_sig": signature, "temp_url_expires": expires})
