"""What somebody who helps needs to know of this agent, without anybody's secrets.

Passwords and credentials are kept elsewhere and are never read for this. What is left are
addresses, which people write credentials into, and words of servers that repeat them: both
are masked.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backup_agent import __version__
from backup_agent.agent.desk import Desk
from backup_agent.agent.log import LogLine
from backup_agent.agent.ran import RunQuery

_RUNS = 50
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)+//[^\s'\"]+"  # s3:https://user:password@host
    r"|[^\s'\"/]+:[^\s'\"/]+@[^\s'\"]+",  # user:password@host
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"password|secret|token|passphrase|credential|api_?key", re.IGNORECASE)
_SAID_SECRET = re.compile(
    r"((?:password|secret|token|passphrase|api_?key|authorization)[\w-]*\"?\s*[:=]\s*)(\S+)",
    re.IGNORECASE,
)
_MASK = "***"


def diagnostics(desk: Desk, log: Sequence[LogLine], *, now: datetime) -> bytes:
    """A JSON document, indented for people."""
    known: dict[str, Any] = {
        "made_at": now,
        "everboot": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "state": desk.state(),
        "settings": desk.settings(),
        "runs": desk.runs(RunQuery(limit=_RUNS)).runs,
        "log": log,
    }
    plain = without_secrets(msgspec.to_builtins(known, builtin_types=(datetime,)))
    return msgspec.json.format(msgspec.json.encode(plain))


def without_secrets(value: object) -> object:
    """The same, with addresses masked in every text, and nothing under names of secrets."""
    match value:
        case str():
            return _masked(value)
        case dict():
            return {
                key: _MASK if each and _names_secret(key, each) else without_secrets(each)
                for key, each in value.items()
            }
        case list() | tuple():
            return [without_secrets(each) for each in value]
        case _:
            return value


def _names_secret(key: object, value: object) -> bool:
    return (
        isinstance(key, str)
        and isinstance(value, str)
        and bool(_SECRET_NAME.search(key))
        and (key != "keeps_secrets_in")
    )


def _masked(text: str) -> str:
    from backup_agent.services.repositories import masked

    text = _ADDRESS.sub(lambda found: masked(found[0]), text)
    return _SAID_SECRET.sub(lambda found: found[1] + _MASK, text)
