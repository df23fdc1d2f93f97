"""The config file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError, UnsupportedVersionError
from backup_agent.format.config import RepositoryConfig, decode_config, encode_config

ID = "5a" * 32


@given(version=st.sampled_from([1, 2]), polynomial=st.integers(1, 1 << 54))
def test_a_config_comes_back(version: int, polynomial: int) -> None:
    config = RepositoryConfig(version, ID, polynomial)

    assert decode_config(encode_config(config)) == config


def test_a_config_is_written_as_the_design_has_it() -> None:
    text = encode_config(RepositoryConfig(2, ID, 0x25B468838DCB75))

    assert json.loads(text) == {
        "version": 2,
        "id": ID,
        "chunker_polynomial": "25b468838dcb75",
    }


@pytest.mark.parametrize("version", [0, 3, 1000, -1])
def test_an_unknown_version_is_named(version: int) -> None:
    text = json.dumps({"version": version, "id": ID, "chunker_polynomial": "25b468838dcb75"})

    with pytest.raises(UnsupportedVersionError, match=str(version)):
        decode_config(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"version":2,"id":"5a","chunker_polynomial":"xyz"}',
        b'{"version":"2","id":"5a","chunker_polynomial":"25b4"}',
    ],
)
def test_what_is_no_config_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_config(text)
