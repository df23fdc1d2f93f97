"""Key files: the way from a password to the master key."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from backup_agent.crypto.cipher import MasterKey
from backup_agent.errors import IntegrityError
from backup_agent.format.keyfile import (
    KeyFile,
    decode_key_file,
    encode_key_file,
    make_key_file,
    open_key_file,
)
from tests.points import WEAK

MASTER = MasterKey.from_bytes(bytes(range(64)))


@pytest.fixture
def file() -> KeyFile:
    return make_key_file(
        MASTER,
        "secret",
        salt=bytes(64),
        parameters=WEAK,
        username="ann",
        hostname="desk",
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_a_key_file_opens_after_a_round_trip(file: KeyFile) -> None:
    again = decode_key_file(encode_key_file(file))

    assert again == file
    assert open_key_file(again, "secret") == MASTER


@pytest.mark.parametrize("password", ["", "Secret", "secret ", "s\u0435cret"])
def test_another_password_opens_nothing(file: KeyFile, password: str) -> None:
    assert open_key_file(file, password) is None


def test_a_key_file_is_written_as_the_design_has_it(file: KeyFile) -> None:
    fields = json.loads(encode_key_file(file))

    assert list(fields) == [
        "created", "username", "hostname", "kdf", "N", "r", "p", "salt", "data",
    ]  # fmt: skip
    assert (fields["kdf"], fields["N"], fields["r"], fields["p"]) == ("scrypt", 2, 1, 1)
    assert base64.b64decode(fields["salt"]) == bytes(64)
    assert "secret" not in json.dumps(fields)


@pytest.mark.parametrize("position", [0, 15, 16, 60, -17, -16, -1])
def test_a_changed_master_key_does_not_open(file: KeyFile, position: int) -> None:
    fields = json.loads(encode_key_file(file))
    data = bytearray(base64.b64decode(fields["data"]))
    data[position] ^= 1
    fields["data"] = base64.b64encode(data).decode()

    assert open_key_file(decode_key_file(json.dumps(fields).encode()), "secret") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"kdf": "argon2id"},
        {"N": 0},
        {"N": 3},
        {"r": 0},
        {"p": -1},
        {"N": 1 << 40},
        {"N": "2"},
        {"salt": "no base64!"},
        {"created": "yesterday"},
        {"data": None},
    ],
)
def test_a_hostile_key_file_is_refused_before_it_costs_anything(
    file: KeyFile, changes: dict[str, object]
) -> None:
    fields = json.loads(encode_key_file(file)) | changes

    with pytest.raises(IntegrityError):
        decode_key_file(json.dumps(fields).encode())


@pytest.mark.parametrize("text", [b"", b"{}", b"[" * 100_000, b"\xff"])
def test_what_is_no_key_file_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_key_file(text)
