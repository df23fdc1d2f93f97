"""Where secrets are kept, and that what was altered opens nothing."""

from __future__ import annotations

from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from backup_agent.agent.desk import Secrets
from backup_agent.agent.secret_store import SecretStore, secret_store
from backup_agent.errors import UsageError

MINE = Secrets("hunter2", {"AWS_SECRET_ACCESS_KEY": "abc"})


class PlayedKeyring(keyring.backend.KeyringBackend):
    """``takes``: whether it keeps what it is given."""

    priority = 5

    def __init__(self, *, takes: bool = True) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # keyring says no types
        self.kept: dict[tuple[str, str], str] = {}
        self.takes = takes

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.takes:
            raise keyring.errors.PasswordSetError("It is locked.")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("There is none.")


def store(folder: Path, wanted: str = "") -> SecretStore:
    return secret_store(
        {"EVERBOOT_SECRETS": wanted}, folder=folder / "settings", key_folder=folder / "state"
    )


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedKeyring:
    made = PlayedKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", made)
    return made


def test_a_keyring_keeps_them_where_there_is_one(tmp_path: Path, played: PlayedKeyring) -> None:
    store(tmp_path).put("s3:x", MINE)

    assert store(tmp_path).get("s3:x") == MINE
    assert "keyring" in store(tmp_path).name
    assert list(tmp_path.iterdir()) == []
    store(tmp_path).remove("s3:x")
    store(tmp_path).remove("s3:x")
    assert store(tmp_path).get("s3:x") is None


def test_a_keyring_that_takes_nothing_gives_way_to_a_sealed_file_for_good(
    tmp_path: Path, played: PlayedKeyring
) -> None:
    played.takes = False
    store(tmp_path).put("s3:x", MINE)
    played.takes = True

    assert store(tmp_path).get("s3:x") == MINE
    assert store(tmp_path).name == "a sealed file"
    assert played.kept == {}


def test_looking_at_the_store_asks_the_keyring_for_nothing(
    tmp_path: Path, played: PlayedKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlayedKeyring, "get_password", None)

    assert store(tmp_path).name == "the system's keyring"


def test_a_sealed_file_is_for_its_owner_alone_and_opens_with_its_key_only(tmp_path: Path) -> None:
    store(tmp_path, "file").put("s3:x", MINE)
    sealed, key = tmp_path / "settings/secrets.sealed", tmp_path / "state/secrets.key"
    assert {sealed.stat().st_mode & 0o777, key.stat().st_mode & 0o777} == {0o600}
    assert b"hunter2" not in sealed.read_bytes()
    assert store(tmp_path, "file").get("s3:x") == MINE

    key.write_bytes(bytes(64))
    with pytest.raises(UsageError, match="cannot be read"):
        store(tmp_path, "file").get("s3:x")


def test_a_sealed_file_that_was_altered_is_told(tmp_path: Path) -> None:
    store(tmp_path, "file").put("s3:x", MINE)
    sealed = tmp_path / "settings/secrets.sealed"
    content = bytearray(sealed.read_bytes())
    content[20] ^= 1
    sealed.write_bytes(content)

    with pytest.raises(UsageError, match="cannot be read"):
        store(tmp_path, "file").get("s3:x")


def test_secrets_do_not_show_in_a_representation() -> None:
    assert "hunter2" not in repr(MINE)
    assert "abc" not in repr(MINE)
