"""Decoded blobs that may be wanted again soon."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from backup_agent.model.ids import BlobId

_MOST_BYTES = 48 << 20


class KeptBlobs:
    """The blobs used last, within ``most_bytes`` together. For several threads and files."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._blobs: OrderedDict[BlobId, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __contains__(self, blob: BlobId) -> bool:
        return blob in self._blobs

    def get(self, blob: BlobId) -> bytes | None:
        with self._lock:
            data = self._blobs.get(blob)
            if data is not None:
                self._blobs.move_to_end(blob)
            return data

    def keep(self, blob: BlobId, data: bytes) -> None:
        with self._lock:
            if blob in self._blobs:
                return
            self._blobs[blob] = data
            self._bytes += len(data)
            while self._bytes > self._most_bytes and len(self._blobs) > 1:
                _, dropped = self._blobs.popitem(last=False)
                self._bytes -= len(dropped)
