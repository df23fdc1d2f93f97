"""A repository in a bucket of S3, or of the many servers that speak its language.

Object names are the prefix and restic's default layout, so that stock restic
finds the same repository at the same ``s3:`` address.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from botocore.session import get_session
from urllib3.exceptions import HTTPError

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    UsageError,
)
from backup_agent.storage.backend import Data, FileKind, ObjectInfo, ObjectKey, is_object_name
from backup_agent.storage.byte_range import RANGE_NOT_SATISFIABLE, ByteRange
from backup_agent.storage.failures import Failures
from backup_agent.storage.s3_login import S3Login

DEFAULT_REGION = "us-east-1"
_AMAZON_HOST = re.compile(r"s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com$")
_THREADS = 32
_BROKEN_OFF = (
    BotoConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,  # half a listing is no XML
    HTTPError,
    OSError,
)
_REDIRECTS = {301, 302, 307}
"""Those that botocore follows by itself; for 308 and others it raises ``ClientError``."""
_HAVE_BUCKET = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects lie.

    ``endpoint`` is ``https://host[:port]``; ``prefix`` has no slash at its ends.
    """

    endpoint: str
    name: str
    prefix: str = ""
    region: str = ""

    @property
    def home_region(self) -> str:
        """The region to sign for; Amazon's regional hosts carry it in their name."""
        amazon = _AMAZON_HOST.search(self.endpoint)
        return self.region or (amazon.group(1) if amazon else DEFAULT_REGION)


class S3Backend:
    """Objects in one bucket. boto3's client may be shared between threads."""

    def __init__(
        self, bucket: Bucket, *, failures: Failures, login: S3Login, cacert: Path | None = None
    ) -> None:
        self._bucket = bucket
        self._failures = failures
        self._client = _client(bucket, login, cacert)

    @property
    def location(self) -> str:
        return self._failures.location

    @property
    def listing_may_lag(self) -> bool:
        return False

    def prepare(self) -> None:
        try:
            with self._errors("the bucket"):
                self._client.head_bucket(Bucket=self._bucket.name)
        except AccessDeniedError:
            # A key that is confined to a prefix may not ask; the first save will tell.
            return
        except ObjectNotFoundError:
            self._create_bucket()

    def save(self, key: ObjectKey, data: Data) -> None:
        # boto3 can send again what it can rewind, and takes no memoryview.
        body = io.BytesIO(data)
        with self._errors(key.path):
            self._client.put_object(
                **self._at(key), Body=body, ContentType="application/octet-stream"
            )

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        if length == 0:
            self.size(key)
            return b""
        body = self._get(key, ByteRange(offset, length))
        if length is not None and len(body) < length:
            raise self._failures.short(key.path, wanted=length, got=len(body))
        return body

    def size(self, key: ObjectKey) -> int:
        with self._errors(key.path):
            return int(self._client.head_object(**self._at(key))["ContentLength"])

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        with self._errors(kind.value):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=self._name(f"{kind.value}/")
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    name = entry["Key"].rpartition("/")[2]
                    if is_object_name(name):
                        yield ObjectInfo(name, entry["Size"])

    def remove(self, key: ObjectKey) -> None:
        # S3 answers 204 for an object that is not there; some that speak its language say 404.
        with contextlib.suppress(ObjectNotFoundError), self._errors(key.path):
            self._client.delete_object(**self._at(key))

    def read_address(self, key: ObjectKey, *, seconds: int) -> str:
        with self._errors(key.path):
            address: str = self._client.generate_presigned_url(
                "get_object", Params=self._at(key), ExpiresIn=seconds
            )
        return address

    def sweep(self) -> int:
        return 0

    def close(self) -> None:
        self._client.close()

    def _get(self, key: ObjectKey, wanted: ByteRange) -> bytes:
        headers = {"Range": wanted.header} if wanted.header else {}
        with self._errors(key.path):
            try:
                answer = self._client.get_object(**self._at(key), **headers)
            except ClientError as exc:
                if _status(exc) == RANGE_NOT_SATISFIABLE:
                    return b""
                raise
            # Reading raises IncompleteReadError for a truncated body; boto3 itself goes on.
            with contextlib.closing(answer["Body"]) as stream:
                body: bytes = stream.read()
        return wanted.cut(answer["ResponseMetadata"]["HTTPStatusCode"], body)

    def _create_bucket(self) -> None:
        options: dict[str, Any] = {"Bucket": self._bucket.name}
        region = self._bucket.home_region
        if region != DEFAULT_REGION and "amazonaws.com" in self._bucket.endpoint:
            # Others refuse regions that they do not know, where Amazon wants it said.
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        with self._errors("the new bucket"):
            try:
                self._client.create_bucket(**options)
            except ClientError as exc:
                if _code(exc) not in _HAVE_BUCKET:
                    raise

    def _name(self, path: str) -> str:
        return f"{self._bucket.prefix}/{path}" if self._bucket.prefix else path

    def _at(self, key: ObjectKey) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._name(key.path)}

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Translate boto3's errors into Everboot's."""
        try:
            yield
        except ClientError as exc:
            raise self._refused(what, exc) from exc
        except _BROKEN_OFF as exc:
            raise self._failures.unreachable(what, exc) from exc
        except BotoCoreError as exc:
            raise StorageError(
                f"{what} in {self.location}: the request could not be made ({type(exc).__name__})",
                hint="Check the address and the AWS_* variables.",
            ) from exc

    def _refused(self, what: str, error: ClientError) -> StorageError:
        code = _code(error)
        if code == "NoSuchBucket":
            return self._failures.container_missing("bucket", self._bucket.name)
        # HEAD has no body, hence no code of S3's own: botocore puts the status there.
        return self._failures.refused(
            what,
            _status(error),
            code="" if code.isdecimal() else code,
            date=error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("date"),
        )


def _session(bucket: Bucket, login: S3Login) -> boto3.Session:
    """Raises ``UsageError``: boto3 reads Amazon's own settings, whatever it is given besides."""
    core = get_session()
    core.register_component("data_loader", _descriptions())
    try:
        core.get_scoped_config()
        return boto3.Session(
            botocore_session=core,
            aws_access_key_id=login.access_key,
            aws_secret_access_key=login.secret_key,
            aws_session_token=login.session_token or None,
            region_name=bucket.home_region,
        )
    except ProfileNotFound as exc:
        raise UsageError(
            "AWS_PROFILE names a profile that Amazon's settings (~/.aws/config) do not have.",
            hint="Correct AWS_PROFILE, or unset it.",
        ) from exc
    except BotoCoreError as exc:
        raise UsageError(
            f"Amazon's settings (~/.aws/config) cannot be used: {type(exc).__name__}.",
            hint="Correct that file, or name another one in AWS_CONFIG_FILE.",
        ) from exc


@cache
def _descriptions() -> Loader:
    """What boto3 knows of S3's operations: 12 MB, which each client would keep a copy of."""
    return create_loader()


def _client(bucket: Bucket, login: S3Login, cacert: Path | None) -> Any:
    client = _session(bucket, login).client(
        "s3",
        endpoint_url=bucket.endpoint,
        verify=str(cacert) if cacert else None,
        config=Config(
            signature_version="s3v4",
            # Older Swift and Ceph refuse the aws-chunked uploads that boto3's default
            # checksums bring with them; the names are hashes of the content anyway.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path",
                # TLS protects the payload; over plain http the signature has to.
                "payload_signing_enabled": not bucket.endpoint.startswith("https:"),
            },
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=_THREADS,
            # One more try heals a connection gone stale; patience is RetryingBackend's.
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )
    client.meta.events.register_first("needs-retry.s3", _follow_no_redirect)
    return client


def _follow_no_redirect(
    request_dict: dict[str, Any], response: tuple[Any, dict[str, Any]] | None, **_others: object
) -> None:
    """Take a redirect that names no region of Amazon's for an answer like any other.

    botocore would ask the bucket for its region to know where to, be redirected again by the same
    server, and so on until Python's stack is full.
    """
    if response is None or response[0] is None or response[0].status_code not in _REDIRECTS:
        return
    told = response[1]
    headers = told.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if "x-amz-bucket-region" not in headers and "Region" not in told.get("Error", {}):
        request_dict["context"].setdefault("s3_redirect", {})["redirected"] = True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
