"""Many devices at once, and a console that is killed in the middle of it."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

from tests.console.gateways import Device

_MIB = 1 << 20


def back_and_forth(device: Device, number: int, *, size: int, packs: int) -> None:
    """What one device does: lock, store, list, read, unlock. Every answer has to be right."""
    source = random.Random(number)
    with device.client() as http:
        lock = source.randbytes(200)
        lock_name = hashlib.sha256(lock).hexdigest()
        http.post(f"locks/{lock_name}", content=lock).raise_for_status()
        for _pack in range(packs):
            body = source.randbytes(size)
            name = hashlib.sha256(body).hexdigest()
            http.post(f"data/{name}", content=body).raise_for_status()
            assert http.get(f"data/{name}").content == body
            part = http.get(f"data/{name}", headers={"Range": "bytes=1000-1999"})
            assert part.content == body[1000:2000]
        http.delete(f"locks/{lock_name}").raise_for_status()


def at_once(device: Device, *, devices: int, size: int, packs: int) -> None:
    def one(number: int) -> None:
        back_and_forth(device, number, size=size, packs=packs)

    with ThreadPoolExecutor(devices) as threads:
        list(threads.map(one, range(devices)))


def test_many_devices_at_once_get_right_answers(device: Device) -> None:
    at_once(device, devices=40, size=200_000, packs=1)

    assert len(device.names("data")) == 40
    assert device.names("locks") == []
