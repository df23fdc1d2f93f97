"""How much a vault holds: quotas, hidden bytes, and what a prune may do beyond them."""

from __future__ import annotations

import pytest

from console_ui.storage import quota
from console_ui.storage.models import Vault
from tests.console.gateways import Device
from tests.console.stored_objects import name_of, put


def test_a_full_vault_says_so(device: Device) -> None:
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        put(http, "data", bytes(900))
        full = http.post(f"data/{name_of(bytes(101))}", content=bytes(101))
        snapshot = http.post(f"snapshots/{name_of(bytes(102))}", content=bytes(102))

        assert (full.status_code, snapshot.status_code) == (507, 507)
        assert "full" in full.text
        put(http, "locks", bytes(140))


def test_a_prune_may_exceed_the_quota_by_five_percent(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "_STEP_BYTES", 0)
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        put(http, "data", bytes(990))
        lock = put(http, "locks", b"")
        assert http.post(f"data/{name_of(bytes(40))}", content=bytes(40)).status_code == 507

        http.get("data/")  # as only somebody does who prunes
        put(http, "data", bytes(40))
        put(http, "index", bytes(15))
        full = http.post(f"data/{name_of(bytes(41))}", content=bytes(41))
        assert full.status_code == 507
        assert "restic prune --max-repack-size 48M" in full.text
        assert http.post(f"snapshots/{name_of(b'p')}", content=b"p").status_code == 507

        http.delete(f"locks/{lock}")
        assert http.post(f"index/{name_of(b'i')}", content=b"i").status_code == 507


def test_what_is_hidden_and_what_is_not_have_a_limit_together(device: Device) -> None:
    Vault.objects.update(quota_bytes=100)
    with device.client() as http:
        for byte in (b"a", b"b", b"c"):
            http.delete(f"data/{put(http, 'data', byte * 60)}")

        answer = http.post(f"data/{name_of(b'd' * 21)}", content=b"d" * 21)
        put(http, "data", b"d" * 20)

    assert answer.status_code == 507
    assert "deleted bytes" in answer.text


def test_a_vault_that_hides_more_than_its_quota_can_still_be_pruned(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "_STEP_BYTES", 0)
    Vault.objects.update(quota_bytes=1000)
    with device.client() as http:
        for byte in (b"a", b"b"):
            http.delete(f"data/{put(http, 'data', byte * 600)}")
        put(http, "data", b"c" * 800)  # 2000 bytes in all: no more may come
        assert Vault.objects.get().hidden_bytes == 1200
        assert http.post(f"data/{name_of(b'd')}", content=b"d").status_code == 507

        lock = put(http, "locks", b"lock")
        http.get("data/")
        put(http, "data", b"d" * 60)
        put(http, "index", b"i" * 36)
        assert http.post(f"index/{name_of(b'j')}", content=b"j").status_code == 507
        assert http.delete(f"locks/{lock}").status_code == 200


def test_a_lock_finds_room_in_the_fullest_vault(device: Device) -> None:
    Vault.objects.update(quota_bytes=100)
    with device.client() as http:
        put(http, "locks", b"first")
        http.get("data/")
        put(http, "data", bytes(100))

        put(http, "locks", b"second")
