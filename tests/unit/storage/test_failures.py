"""Every network backend, with its own library, says the same of the same trouble."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from backup_agent.storage.backend import Backend, FileKind
from backup_agent.storage.failures import Failures
from tests.unit.storage.certificates import server_context
from tests.unit.storage.network import KINDS, SECRET, backend_at
from tests.unit.storage.objects import key_of
from tests.unit.storage.web_server import Answer, Request, Script, web_server

DATA = b"content of a pack"
PACK = key_of(DATA)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

every_backend = pytest.mark.parametrize("kind", KINDS)
every_read_and_write = pytest.mark.parametrize(
    "work",
    [
        lambda backend: backend.load(PACK),
        lambda backend: backend.load(PACK, 3, 4),
        lambda backend: backend.save(PACK, DATA),
        lambda backend: backend.size(PACK),
        lambda backend: list(backend.list(FileKind.INDEX)),
        lambda backend: backend.remove(PACK),
        lambda backend: backend.prepare(),
    ],
    ids=["load", "load-range", "save", "size", "list", "remove", "prepare"],
)


def logged_in(then: Script) -> Script:
    """Let Swift's login pass, and answer the rest with ``then``."""

    def script(request: Request) -> Answer:
        if request.path == "/auth":
            url = f"http://{request.headers['Host']}/v1/account"
            return Answer(headers={"X-Storage-Url": url, "X-Auth-Token": "token"})
        return then(request)

    return script


def failure_of(
    kind: str, script: Script, work: Callable[[Backend], object], *, now: datetime = NOON
) -> StorageError:
    """The error that ``work`` raises."""
    with web_server(script) as host:
        backend = backend_at(kind, f"http://{host}", now=lambda: now)
        try:
            with pytest.raises(StorageError) as caught:
                work(backend)
        finally:
            backend.close()
    return caught.value


@every_backend
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (413, StorageFullError),
        (429, TransientStorageError),
        (500, TransientStorageError),
        (501, StorageError),
        (502, TransientStorageError),
        (503, TransientStorageError),
        (504, TransientStorageError),
        (507, StorageFullError),
    ],
)
@pytest.mark.parametrize("writing", [False, True])
def test_a_status_means_the_same_everywhere(
    kind: str, status: int, expected: type[StorageError], writing: bool
) -> None:
    error = failure_of(
        kind,
        logged_in(lambda request: Answer(status)),
        lambda backend: backend.save(PACK, DATA) if writing else backend.load(PACK),
    )
    assert type(error) is expected
    assert error.hint
    assert SECRET not in error.message + error.hint


@every_backend
@pytest.mark.parametrize("read", ["load", "size"])
def test_a_missing_object_is_told_from_a_missing_repository(kind: str, read: str) -> None:
    error = failure_of(
        kind, logged_in(lambda request: Answer(404)), lambda backend: getattr(backend, read)(PACK)
    )
    assert type(error) is ObjectNotFoundError
    assert PACK.path in error.message


@every_backend
def test_a_missing_repository_is_not_an_empty_listing(kind: str) -> None:
    error = failure_of(
        kind,
        logged_in(lambda request: Answer(404)),
        lambda backend: list(backend.list(FileKind.SNAPSHOT)),
    )
    assert type(error) is ObjectNotFoundError


@every_backend
def test_refused_credentials_name_the_variables(kind: str) -> None:
    error = failure_of(kind, lambda request: Answer(401), lambda backend: backend.load(PACK))
    assert type(error) is AccessDeniedError
    assert "THE_VARIABLES" in error.hint


@every_backend
@pytest.mark.parametrize("days", [-400, 1])
def test_a_refusal_by_a_server_in_another_time_blames_the_clock(kind: str, days: int) -> None:
    theirs = format_datetime(NOON + timedelta(days=days), usegmt=True)
    error = failure_of(
        kind,
        lambda request: Answer(403, headers={"Date": theirs}),
        lambda backend: backend.load(PACK),
    )
    assert type(error) is AccessDeniedError
    assert "clock" in error.message
    assert "2026-03-01 12:00:00 UTC" in error.message
    assert (NOON + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S UTC") in error.message
    assert "time" in error.hint


@every_backend
@pytest.mark.parametrize("date", ["Sun, 01 Mar 2026 12:04:00 GMT", "yesterday", ""])
def test_a_clock_that_is_about_right_is_not_blamed(kind: str, date: str) -> None:
    error = failure_of(
        kind,
        lambda request: Answer(403, headers={"Date": date}),
        lambda backend: backend.load(PACK),
    )
    assert "clock" not in error.message


def test_s3_naming_the_clock_is_believed_whatever_the_date_says() -> None:
    body = b"<Error><Code>RequestTimeTooSkewed</Code><Message>?</Message></Error>"
    error = failure_of("s3", lambda request: Answer(403, body), lambda backend: backend.load(PACK))
    assert "clock" in error.message


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "BadDigest", TransientStorageError),
        (400, "ExpiredToken", AccessDeniedError),
        (400, "AuthorizationHeaderMalformed", StorageError),
        (403, "QuotaExceeded", StorageFullError),
        (404, "NoSuchBucket", ObjectNotFoundError),
        (503, "SlowDown", TransientStorageError),
    ],
)
def test_s3_codes_say_more_than_the_status(
    status: int, code: str, expected: type[StorageError]
) -> None:
    body = f"<Error><Code>{code}</Code><Message>?</Message></Error>".encode()
    error = failure_of(
        "s3", lambda request: Answer(status, body), lambda backend: backend.load(PACK)
    )
    assert type(error) is expected


def test_swift_refusing_a_corrupted_upload_is_tried_again() -> None:
    error = failure_of(
        "swift", logged_in(lambda request: Answer(422)), lambda backend: backend.save(PACK, DATA)
    )
    assert type(error) is TransientStorageError


@every_backend
@every_read_and_write
def test_a_server_that_is_not_there_is_transient(
    kind: str, work: Callable[[Backend], object]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        backend = backend_at(kind, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(TransientStorageError, match="refused") as caught:
            work(backend)
        backend.close()
    assert caught.value.hint


@every_backend
@every_read_and_write
def test_a_server_that_hangs_up_is_transient(kind: str, work: Callable[[Backend], object]) -> None:
    error = failure_of(kind, logged_in(lambda request: Answer(hang_up=True)), work)
    assert type(error) is TransientStorageError


@every_backend
@pytest.mark.parametrize("length", [None, 10])
def test_a_body_that_breaks_off_is_transient(kind: str, length: int | None) -> None:
    script = logged_in(lambda request: Answer(206 if length else 200, DATA[:7], promised=10))
    error = failure_of(kind, script, lambda backend: backend.load(PACK, 0, length))
    assert type(error) is TransientStorageError


@every_backend
def test_a_body_shorter_than_asked_for_is_transient_even_if_the_server_is_content(
    kind: str,
) -> None:
    script = logged_in(lambda request: Answer(206, DATA[:7]))
    error = failure_of(kind, script, lambda backend: backend.load(PACK, 0, 10))
    assert type(error) is TransientStorageError
    assert "10 bytes were asked for, 7 came" in error.message


@every_backend
@pytest.mark.parametrize("body", [b'[{"name": "', b"<a><b>", b"\xff\xfe\x00"])
def test_half_a_listing_is_transient_even_if_the_server_is_content(kind: str, body: bytes) -> None:
    script = logged_in(lambda request: Answer(207 if kind == "webdav" else 200, body))
    error = failure_of(kind, script, lambda backend: list(backend.list(FileKind.INDEX)))
    assert type(error) is TransientStorageError


@every_backend
@pytest.mark.parametrize(("offset", "length"), [(0, 5), (3, 4), (3, None), (0, None)])
def test_a_server_that_ignores_ranges_is_cut_to_what_was_asked(
    kind: str, offset: int, length: int | None
) -> None:
    with web_server(logged_in(lambda request: Answer(200, DATA))) as host:
        backend = backend_at(kind, f"http://{host}")
        end = None if length is None else offset + length
        assert backend.load(PACK, offset, length) == DATA[offset:end]
        backend.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("valid_from_days", "valid_to_days", "text"),
    [(1, 2, "not yet valid"), (-2, -1, "has expired")],
    ids=["future", "past"],
)
def test_a_certificate_of_another_time_names_the_clock(
    kind: str, valid_from_days: int, valid_to_days: int, text: str, tmp_path: Path
) -> None:
    tls = server_context(tmp_path, valid_from_days=valid_from_days, valid_to_days=valid_to_days)
    with web_server(lambda request: Answer(), tls=tls) as host:
        backend = backend_at(
            kind, f"https://{host}", cacert=tmp_path / "certificate.pem", now=lambda: NOON
        )
        with pytest.raises(StorageError, match=text) as caught:
            backend.load(PACK)
        backend.close()
    assert type(caught.value) is StorageError
    assert "clock says" in caught.value.message or "clock is wrong" in caught.value.message
    assert "2026-03-01 12:00:00 UTC" in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_certificate_works_with_its_authority_and_only_then(
    kind: str, tmp_path: Path
) -> None:
    tls = server_context(tmp_path, valid_from_days=-1, valid_to_days=1)

    def script(request: Request) -> Answer:
        if request.path == "/auth":
            url = f"https://{request.headers['Host']}/v1/account"
            return Answer(headers={"X-Storage-Url": url, "X-Auth-Token": "token"})
        return Answer(200, DATA)

    with web_server(script, tls=tls) as host:
        trusting = backend_at(kind, f"https://{host}", cacert=tmp_path / "certificate.pem")
        assert trusting.load(PACK) == DATA
        trusting.close()
        doubting = backend_at(kind, f"https://{host}")
        with pytest.raises(StorageError, match="not trusted") as caught:
            doubting.load(PACK)
        doubting.close()
    assert type(caught.value) is StorageError
    assert "--cacert" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_tls_with_a_server_that_speaks_none_is_named(kind: str) -> None:
    with web_server(lambda request: Answer()) as host:
        backend = backend_at(kind, f"https://{host}")
        with pytest.raises(StorageError) as caught:
            backend.load(PACK)
        backend.close()
    assert "does not speak TLS" in caught.value.message


def test_a_text_of_a_library_never_reaches_the_message() -> None:
    error = Failures("rest:https://h/", "X").unreachable("it", RuntimeError(f"password={SECRET}"))
    assert SECRET not in error.message + error.hint
