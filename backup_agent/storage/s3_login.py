"""Which access key to use for S3, as the environment says it.

The ``AWS_*`` variables first, then the file that Amazon's own tools share
(``AWS_SHARED_CREDENTIALS_FILE``, else ``~/.aws/credentials``; ``AWS_PROFILE``
picks a section). Machines' own identities in Amazon's cloud are not asked:
that takes seconds everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botocore.credentials import SharedCredentialProvider
from botocore.exceptions import BotoCoreError

from backup_agent.errors import UsageError

VARIABLES = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, slots=True)
class S3Login:
    """An access key. ``session_token`` goes with temporary keys."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def find_login(environment: Mapping[str, str]) -> S3Login:
    """The access key to use. Raises ``UsageError`` when there is none."""
    access_key = environment.get("AWS_ACCESS_KEY_ID", "")
    secret_key = environment.get("AWS_SECRET_ACCESS_KEY", "")
    if access_key and secret_key:
        return S3Login(access_key, secret_key, environment.get("AWS_SESSION_TOKEN", ""))
    if access_key or secret_key:
        missing = "AWS_SECRET_ACCESS_KEY" if access_key else "AWS_ACCESS_KEY_ID"
        raise UsageError(f"{missing} is not set.", hint=f"S3 needs {VARIABLES}.")
    login = _from_file(environment)
    if login is None:
        raise UsageError(
            "S3 needs an access key.",
            hint=f"Set {VARIABLES}, or AWS_SHARED_CREDENTIALS_FILE.",
        )
    return login


def _from_file(environment: Mapping[str, str]) -> S3Login | None:
    named = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if not named and not home:
        return None
    path = Path(named) if named else Path(home or "") / ".aws" / "credentials"
    profile = environment.get("AWS_PROFILE") or "default"
    try:
        found = SharedCredentialProvider(str(path), profile_name=profile).load()
    except (BotoCoreError, OSError) as exc:
        raise UsageError(f"{path} cannot be read as a file of AWS credentials.") from exc
    if found is None and environment.get("AWS_PROFILE"):
        raise UsageError(
            f"AWS_PROFILE names {profile!r}, and {path} has no access key under that name.",
            hint=f"Correct AWS_PROFILE, or set {VARIABLES}.",
        )
    return S3Login(found.access_key, found.secret_key, found.token or "") if found else None
