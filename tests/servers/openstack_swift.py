"""OpenStack Swift with accounts of its own: the Swift API, and S3 through its s3api filter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import free_ports
from tests.servers.running import RunningServer
from tests.servers.swift_cluster import Authentication, swift_cluster

_ACCOUNT, _KEY = "acme:ada", "lovelace"
_REGION = "us-east-1"

# tempauth answers API v1 logins; s3api hands it the S3 signature of the same user.
_TEMPAUTH = Authentication(
    pipeline=("s3api", "tempurl", "tempauth"),
    filters={
        "tempurl": {"use": "egg:swift#tempurl"},
        "s3api": {"use": "egg:swift#s3api", "location": _REGION},
        "tempauth": {"use": "egg:swift#tempauth", "user_acme_ada": f"{_KEY} .admin"},
    },
)


@contextmanager
def openstack_swift(folder: Path) -> Iterator[dict[str, RunningServer]]:
    """Gives ``swift`` (tempauth, version 1) and ``swift-s3``."""
    (port,) = free_ports(1)
    with swift_cluster(folder, port, _TEMPAUTH):
        yield {
            "swift": RunningServer(
                "swift:{name}:/",
                {
                    "ST_AUTH": f"http://127.0.0.1:{port}/auth/v1.0",
                    "ST_USER": _ACCOUNT,
                    "ST_KEY": _KEY,
                },
            ),
            "swift-s3": RunningServer(
                f"s3:http://127.0.0.1:{port}/{{name}}",
                {
                    "AWS_ACCESS_KEY_ID": _ACCOUNT,
                    "AWS_SECRET_ACCESS_KEY": _KEY,
                    "AWS_DEFAULT_REGION": _REGION,
                },
            ),
        }
