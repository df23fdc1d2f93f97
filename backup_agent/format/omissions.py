"""``/.everboot/omissions.jsonl``: one JSON object a line for each :class:`Omission`.

``{"path", "path_raw": base64 where the path is no UTF-8, "reason", "during",
"ranges": [{"start", "size"}]}``; see docs/format.md.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.model.disk import Extent
from backup_agent.model.omission import Omission

FOLDER = b".everboot"
FILE = b"omissions.jsonl"


class _Range(msgspec.Struct):
    start: int
    size: int


class _Json(msgspec.Struct, omit_defaults=True):
    path: str
    reason: str
    during: str
    path_raw: bytes = b""
    ranges: list[_Range] = []


def encode_omissions(omissions: Iterable[Omission]) -> bytes:
    return b"".join(msgspec.json.encode(_line(omission)) + b"\n" for omission in omissions)


def decode_omissions(data: bytes) -> tuple[Omission, ...]:
    """Raises ``IntegrityError``."""
    try:
        lines = [msgspec.json.decode(line, type=_Json) for line in data.splitlines()]
    except MALFORMED as exc:
        raise IntegrityError(f"The list of omissions is damaged: {exc}") from exc
    return tuple(
        Omission(
            path=line.path_raw or line.path.encode(),
            reason=line.reason,
            during=line.during,
            ranges=tuple(Extent(r.start, r.size) for r in line.ranges),
        )
        for line in lines
    )


def _line(omission: Omission) -> _Json:
    text = omission.path.decode("utf-8", "replace")
    return _Json(
        path=text,
        path_raw=b"" if text.encode() == omission.path else omission.path,
        reason=omission.reason,
        during=omission.during,
        ranges=[_Range(extent.start, extent.size) for extent in omission.ranges],
    )
