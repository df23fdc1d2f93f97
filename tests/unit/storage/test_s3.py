"""What S3 is asked for, where its answers do not show it."""

from __future__ import annotations

import pytest

from backup_agent.errors import StorageError
from backup_agent.storage.backend import CONFIG, FileKind
from backup_agent.storage.failures import Failures
from backup_agent.storage.s3 import Bucket, S3Backend
from backup_agent.storage.s3_login import S3Login
from tests.unit.storage.network import SECRET, backend_at
from tests.unit.storage.web_server import Answer, Request, web_server


@pytest.mark.parametrize(
    ("endpoint", "region", "expected"),
    [
        ("https://s3.example.org", "", "us-east-1"),
        ("https://s3.example.org", "dc3-a", "dc3-a"),
        ("https://s3.amazonaws.com", "", "us-east-1"),
        ("https://s3.eu-central-1.amazonaws.com", "", "eu-central-1"),
        ("https://s3.dualstack.eu-central-1.amazonaws.com", "", "eu-central-1"),
        ("https://s3-eu-west-1.amazonaws.com", "", "eu-west-1"),
        ("https://s3.eu-central-1.amazonaws.com", "eu-west-1", "eu-west-1"),
    ],
)
def test_the_region_is_as_said_or_as_the_host_shows(
    endpoint: str, region: str, expected: str
) -> None:
    assert Bucket(endpoint, "bucket", region=region).home_region == expected


def test_requests_are_signed_by_version_4_in_path_style_and_sent_in_one_piece() -> None:
    seen: list[Request] = []

    def script(request: Request) -> Answer:
        seen.append(request)
        return Answer()

    with web_server(script) as host:
        backend = S3Backend(
            Bucket(f"http://{host}", "bucket", "a/prefix", region="dc3-a"),
            failures=Failures("s3:", "X"),
            login=S3Login("key", SECRET),
        )
        backend.save(CONFIG, memoryview(b"config"))
        backend.close()
    (request,) = seen
    assert (request.method, request.path) == ("PUT", "/bucket/a/prefix/config")
    assert request.body == b"config"
    assert "/dc3-a/s3/aws4_request" in request.headers["Authorization"]
    names = {name.lower() for name in request.headers}
    assert not {"transfer-encoding", "x-amz-trailer", "x-amz-sdk-checksum-algorithm"} & names
    assert SECRET not in str(request.headers)


def test_a_bucket_that_may_not_be_looked_at_is_taken_as_there() -> None:
    asked = []

    def script(request: Request) -> Answer:
        asked.append(request.method)
        return Answer(403)

    with web_server(script) as host:
        backend = backend_at("s3", f"http://{host}")
        backend.prepare()
        backend.close()
    assert asked == ["HEAD"]


def test_a_missing_bucket_is_made_and_a_race_for_it_is_no_error() -> None:
    asked = []

    def script(request: Request) -> Answer:
        asked.append(request.method)
        lost = b"<Error><Code>BucketAlreadyOwnedByYou</Code></Error>"
        return Answer(404) if request.method == "HEAD" else Answer(409, lost)

    with web_server(script) as host:
        backend = backend_at("s3", f"http://{host}")
        backend.prepare()
        backend.close()
    assert asked == ["HEAD", "PUT"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_server_that_refers_to_another_address_is_asked_once_and_named(status: int) -> None:
    asked = []

    def script(request: Request) -> Answer:
        asked.append(request.method)
        return Answer(status, headers={"Location": f"https://{SECRET}.example.org{request.path}"})

    with web_server(script) as host:
        backend = backend_at("s3", f"http://{host}")
        for ask in (backend.prepare, lambda: backend.save(CONFIG, memoryview(b"config"))):
            with pytest.raises(StorageError, match=f"{status}: it refers to another") as caught:
                ask()
            assert "https://" in caught.value.hint
            assert SECRET not in str(caught.value)
        with pytest.raises(StorageError, match=str(status)):
            list(backend.list(FileKind.PACK))
        backend.close()
    assert asked == ["HEAD", "PUT", "GET"]


def test_a_bucket_of_another_region_is_found_by_the_region_that_the_redirect_names() -> None:
    signed_for = []

    def script(request: Request) -> Answer:
        region = request.headers["Authorization"].split("/")[2]
        signed_for.append(region)
        if region == "eu-west-1":
            return Answer()
        return Answer(301, headers={"x-amz-bucket-region": "eu-west-1"})

    with web_server(script) as host:
        backend = backend_at("s3", f"http://{host}")
        backend.save(CONFIG, memoryview(b"config"))
        backend.close()
    assert signed_for == ["us-east-1", "eu-west-1"]


def test_a_login_shows_no_secret() -> None:
    assert SECRET not in repr(S3Login("key", SECRET, SECRET))
