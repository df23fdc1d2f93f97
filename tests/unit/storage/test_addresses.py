from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backup_agent.errors import UsageError
from backup_agent.storage.addresses import (
    StorageOptions,
    embedded_credentials,
    masked,
    open_backend,
)
from backup_agent.storage.backend import FileKind
from backup_agent.storage.local import LocalBackend
from backup_agent.storage.retry import RetryingBackend
from backup_agent.storage.throttle import ThrottledBackend
from tests.unit.storage.objects import key_of

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "ST_AUTH": "https://example.org/auth/v1.0",
    "ST_USER": "account:user",
    "ST_KEY": "secret",
}
KEYSTONE = {"OS_AUTH_URL": "https://example.org/identity"}


@pytest.mark.parametrize(
    "address",
    [
        "s3:https://s3.example.org/bucket",
        "s3:https://s3.example.org:9000/bucket/deep/prefix/",
        "s3:http://[::1]:9000/bucket",
        "s3:s3.example.org/bucket/prefix",
        "s3://s3.example.org/bucket",
        "S3:https://s3.example.org/bucket",
        "swift:container:/",
        "swift:container:/a/prefix",
        "rest:https://example.org/",
        "rest:http://example.org:8000",
        "rest:https://user:pass%40word@example.org/path/",
        "webdav:https://example.org/remote.php/dav/files/ada/backup",
    ],
)
def test_addresses_of_the_network_are_opened_with_retries(address: str) -> None:
    backend = open_backend(address, ENVIRONMENT)
    assert isinstance(backend, RetryingBackend)
    assert backend.location == masked(address)
    backend.close()


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/srv/backup", "/srv/backup"),
        ("backup", "backup"),
        ("../with:colon", "../with:colon"),
        ("local:/srv/backup", "/srv/backup"),
        ("local:s3:https://odd/name", "s3:https:/odd/name"),
        (r"C:\backup", r"C:\backup"),
        ("D:/backup", "D:/backup"),
        (r"\\server\share\backup", r"\\server\share\backup"),
    ],
)
def test_a_path_is_a_folder_without_retries(address: str, path: str) -> None:
    backend = open_backend(address, {})
    assert isinstance(backend, LocalBackend)
    assert backend.location == path


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "path is missing"),
        ("local:", "path is missing"),
        ("s3:", "host"),
        ("s3:https://s3.example.org", "bucket is missing"),
        ("s3:https://s3.example.org/", "bucket is missing"),
        ("s3:https:///bucket", "host"),
        ("s3:https://s3.example.org/ab", "3 characters or more"),
        ("s3:https://s3.example.org/b$cket/prefix", "letters, digits"),
        ("s3:https://s3.example.org:port/bucket", "port"),
        ("swift:", "container"),
        ("swift:container", "container"),
        ("swift:container:prefix", "container"),
        ("swift:/container:/", "container"),
        ("rest:example.org/path", "https://"),
        ("rest:ftp://example.org/path", "https://"),
        ("rest:https://[::1/path", "host"),
        ("webdav:", "https://"),
        ("webdav:/srv/backup", "https://"),
        ("sftp:user@example.org:/srv/backup", "sftp: is not known"),
        ("https://example.org/path", "https: is not known"),
    ],
)
def test_nonsense_is_refused_with_the_reason_and_a_hint(address: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        open_backend(address, ENVIRONMENT)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("address", "environment", "named"),
    [
        ("s3:https://h/bucket", {}, "AWS_ACCESS_KEY_ID"),
        ("s3:https://h/bucket", {"AWS_ACCESS_KEY_ID": "key"}, "AWS_SECRET_ACCESS_KEY"),
        ("s3:https://h/bucket", {"AWS_SECRET_ACCESS_KEY": "secret"}, "AWS_ACCESS_KEY_ID"),
        ("s3:https://h/bucket", {"HOME": "/nonexistent"}, "AWS_SHARED_CREDENTIALS_FILE"),
        ("swift:c:/", {}, "ST_AUTH"),
        ("swift:c:/", {"ST_AUTH": "https://h", "ST_USER": "u"}, "ST_KEY"),
        ("swift:c:/", KEYSTONE, "OS_USERNAME"),
        ("swift:c:/", {**KEYSTONE, "OS_USERNAME": "u"}, "OS_PASSWORD"),
        (
            "swift:c:/",
            {**KEYSTONE, "OS_APPLICATION_CREDENTIAL_ID": "id"},
            "OS_APPLICATION_CREDENTIAL_SECRET",
        ),
    ],
)
def test_missing_credentials_are_named(
    address: str, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(UsageError) as caught:
        open_backend(address, environment)
    assert named in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "login",
    [
        {"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "n"},
        {"OS_USER_ID": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "i"},
        {"OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
        {
            "OS_APPLICATION_CREDENTIAL_NAME": "n",
            "OS_APPLICATION_CREDENTIAL_SECRET": "s",
            "OS_USERNAME": "u",
            "OS_USER_DOMAIN_NAME": "Default",
        },
    ],
    ids="+".join,
)
def test_every_keystone_login_is_accepted(login: dict[str, str]) -> None:
    open_backend("swift:c:/", {**KEYSTONE, **login}).close()


def test_an_access_key_may_stand_in_the_shared_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[work]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_PROFILE": "work"}
    open_backend("s3:https://h/bucket", environment).close()
    with pytest.raises(UsageError, match="AWS_PROFILE names 'home'"):
        open_backend("s3:https://h/bucket", {**environment, "AWS_PROFILE": "home"})


def test_a_profile_that_does_not_exist_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="AWS_PROFILE") as caught:
        open_backend("s3:https://h/bucket", {**ENVIRONMENT, "AWS_PROFILE": "nobody"})
    assert "unset" in caught.value.hint


def test_settings_of_amazon_that_cannot_be_read_are_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(UsageError, match=r"~/\.aws/config"):
        open_backend("s3:https://h/bucket", ENVIRONMENT)


MASKED = {
    "/srv/user:password@backup": "/srv/user:password@backup",
    "swift:user@container:/": "swift:user@container:/",
    "rest:https://example.org/a@b": "rest:https://example.org/a@b",
    "webdav:https://example.org/ada@b/c?token=x@y": "webdav:https://example.org/ada@b/c?***",
    "rest:https://example.org:8000/a%40b": "rest:https://example.org:8000/a%40b",
    "rest:https://ada:12/34@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://ada:12#34@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://ada:12?34@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://ada@home:love/lace@example.org/": "rest:https://ada@home:***@example.org/",
    "rest:https://ada:love@la/ce@example.org/": "rest:https://ada:***@example.org/",
    "webdav:https://example.org/a?token=x": "webdav:https://example.org/a?***",
    "webdav:https://example.org/a#token": "webdav:https://example.org/a#***",
    "webdav:https://ada:x@example.org/a?token=x": "webdav:https://ada:***@example.org/a?***",
    " rest:https://ada:x@example.org/": " rest:https://ada:***@example.org/",
    "'rest:https://ada:x@example.org/'": "'rest:https://ada:***@example.org/'",
    "https://ada:x@example.org/": "https://ada:***@example.org/",
    "rest:https://ada:lovelace@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://ada:love@lace@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://ada:love/lace@example.org/": "rest:https://ada:***@example.org/",
    "rest:https://token@example.org/": "rest:https://***@example.org/",
    "s3:key:secret@example.org/bucket": "s3:key:***@example.org/bucket",
    "s3://key:secret@example.org/bucket": "s3://key:***@example.org/bucket",
    "webdav:http://ada:x@[::1]:80/": "webdav:http://ada:***@[::1]:80/",
    "webdav:http://[::1]:80/a@b": "webdav:http://[::1]:80/a@b",
    "sftp:ada:lovelace@example.org:/": "sftp:ada:***@example.org:/",
}


@pytest.mark.parametrize("address", MASKED)
def test_secrets_in_addresses_are_masked_and_known(address: str) -> None:
    assert masked(address) == MASKED[address]
    assert embedded_credentials(address) == (MASKED[address] != address)


@pytest.mark.parametrize(
    "address",
    [
        "rest:https://ada:lovelace@h:x/",
        "rest:ftp://a:lovelace@h/",
        "b2:a:lovelace@h",
        "webdav:https://h/path?token=lovelace",
        "webdav:https://h/path#lovelace",
        " rest:https://ada:lovelace@h/",
    ],
)
def test_a_refused_address_keeps_its_secret(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_backend(address, {})
    assert "lovelace" not in caught.value.message + caught.value.hint


def test_limits_wrap_a_folder_too(tmp_path: Path) -> None:
    options = StorageOptions(limit_upload=1_000_000, limit_download=1_000_000)
    backend = open_backend(str(tmp_path), {}, options)
    assert isinstance(backend, ThrottledBackend)
    backend.prepare()
    backend.save(key_of(b"x"), b"x")
    assert backend.load(key_of(b"x")) == b"x"
    assert len(list(backend.list(FileKind.PACK))) == 1


def test_a_certificate_authority_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    for cacert in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        (tmp_path / "empty.pem").touch()
        for address in ("rest:https://h/", "webdav:https://h/", "s3:https://h/bucket", "swift:c:/"):
            with pytest.raises(UsageError, match="certificate"):
                open_backend(address, ENVIRONMENT, StorageOptions(cacert=cacert))


def test_a_folder_does_not_pay_for_the_network_libraries() -> None:
    code = (
        "import sys; from backup_agent.storage.addresses import open_backend;"
        "open_backend('/srv/backup', {});"
        "print(sorted({'boto3', 'httpx', 'swiftclient', 'keystoneauth1'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
