"""The file that says who a device is, and what it signs."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.crypto.signature import SigningKey, fingerprint, new_signing_key
from backup_agent.errors import LinkError, NotLinkedError, UsageError
from backup_agent.services.link import assertion
from backup_agent.services.link.certificate import trusted_console
from backup_agent.services.link.console import Codes, Token
from backup_agent.services.link.identity import (
    Console,
    DeviceIdentity,
    forget,
    identity_file,
    keep,
    load,
)

# RFC 8032, 7.1, test 2.
RFC_SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")


def an_identity() -> DeviceIdentity:
    console = Console("https://backup.example.org", "PEM", Path("/etc/office.pem"))
    return DeviceIdentity(console, new_signing_key(), "id", "ATELIER-01", "Keller", "backup")


def test_an_identity_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "everboot" / "device.json"
    identity = an_identity()

    keep(identity, file)

    assert load(file) == identity
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]
    forget(file)
    forget(file)
    with pytest.raises(NotLinkedError):
        load(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"console": 1}'])
def test_a_damaged_identity_is_an_error_and_not_an_unlinked_device(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "device.json"
    file.write_bytes(content)

    with pytest.raises(LinkError) as caught:
        load(file)

    assert not isinstance(caught.value, NotLinkedError)


def test_the_environment_says_where_the_identity_lies() -> None:
    assert identity_file({"EVERBOOT_DEVICE_FILE": "/x"}) == Path("/x")
    assert identity_file({"XDG_CONFIG_HOME": "/c"}) == Path("/c/everboot/device.json")
    assert identity_file({"HOME": "/h"}) == Path("/h/.config/everboot/device.json")


def test_nothing_secret_is_printed_by_accident() -> None:
    identity = an_identity()
    codes = Codes("device-code", "BCDF-GHJK", "https://x/link", 600)
    token = Token("access-token", 600, "backup", "id", "name", "organisation")

    shown = repr((identity, codes, token))

    for secret in (repr(identity.key.secret), "device-code", "access-token"):
        assert secret not in shown


def test_keys_are_those_of_rfc_8032() -> None:
    key = SigningKey(RFC_SECRET)

    assert key.public_key == RFC_PUBLIC
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540")


def test_an_assertion_tells_what_was_signed() -> None:
    key = new_signing_key()

    signed = assertion.make(key, audience="https://backup.example.org", now=1_000_000)
    claims = assertion.open_assertion(signed, key.public_key)

    assert claims.client_id == fingerprint(key.public_key)
    assert claims.audience == "https://backup.example.org"
    assert (claims.issued_at, claims.expires_at) == (1_000_000, 1_000_060)
    again = assertion.make(key, audience="https://backup.example.org", now=1_000_000)
    assert assertion.open_assertion(again, key.public_key).id != claims.id


def test_an_assertion_that_was_touched_does_not_hold() -> None:
    key, other = new_signing_key(), new_signing_key()
    signed = assertion.make(key, audience="https://backup.example.org", now=1_000_000)
    header, claims, signature = signed.split(".")
    foreign = assertion.make(other, audience="https://backup.example.org", now=1_000_000)
    forged = [
        foreign,
        f"{header}.{foreign.split('.')[1]}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims}.{foreign.split('.')[2]}",
        "",
        "..",
        "é.é.é",
        signed * 50,
    ]

    for each in forged:
        with pytest.raises(LinkError):
            assertion.open_assertion(each, key.public_key)


def test_a_key_that_is_none_is_refused() -> None:
    for text in ("", "AAAA", "é", "A" * 100):
        with pytest.raises(LinkError):
            assertion.decode_public_key(text)


@pytest.mark.parametrize(
    "address",
    ["backup.example.org", "ftp://x", "https://", "https://user@x", "http://backup.example.org"],
)
def test_an_address_that_would_not_do_is_refused_before_anybody_is_asked(address: str) -> None:
    with pytest.raises(UsageError):
        trusted_console(address, {}, cacert=None, confirm=lambda _unknown: True)


def test_on_this_computer_a_console_may_do_without_tls() -> None:
    for typed in ("http://localhost:8470", "http://localhost:8470/devices", "http://[::1]:1/"):
        console = trusted_console(typed, {}, cacert=None, confirm=lambda _unknown: False)
        assert typed.startswith(console.address)
        assert console == replace(console, certificate="")
