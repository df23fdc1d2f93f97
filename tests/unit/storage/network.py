"""The four network backends, made to speak to one address of a test's own web server."""

from __future__ import annotations

from pathlib import Path

from backup_agent.storage.backend import Backend
from backup_agent.storage.failures import Failures, Now, utc_now
from backup_agent.storage.rest import RestBackend
from backup_agent.storage.s3 import Bucket, S3Backend
from backup_agent.storage.s3_login import S3Login
from backup_agent.storage.swift import SwiftBackend
from backup_agent.storage.swift_login import connector
from backup_agent.storage.web_client import Login
from backup_agent.storage.webdav import WebdavBackend

SECRET = "wJalrXUtnFEMI"
KINDS = ("s3", "swift", "rest", "webdav")


def backend_at(
    kind: str, origin: str, *, cacert: Path | None = None, now: Now = utc_now
) -> Backend:
    """A backend that has sent nothing yet; ``origin`` is ``http://127.0.0.1:port``."""
    failures = Failures(f"{kind}:{origin}", "THE_VARIABLES", now)
    login = Login("ada", SECRET)
    match kind:
        case "s3":
            return S3Backend(
                Bucket(origin, "bucket"),
                failures=failures,
                login=S3Login("ada", SECRET),
                cacert=cacert,
            )
        case "swift":
            environment = {"ST_AUTH": f"{origin}/auth", "ST_USER": "ada", "ST_KEY": SECRET}
            return SwiftBackend(
                "bucket", "", failures=failures, connect=connector(environment, cacert)
            )
        case "rest":
            return RestBackend(f"{origin}/", failures=failures, login=login, cacert=cacert)
        case "webdav":
            return WebdavBackend(f"{origin}/", failures=failures, login=login, cacert=cacert)
        case _:
            raise ValueError(kind)
