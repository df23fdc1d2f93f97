"""What a process that is to hold a key is told, and what stays of that where it was said."""

from __future__ import annotations

import io

import msgspec

from console_ui.unlocked import frames
from console_ui.unlocked.messages import Opening
from console_ui.unlocked.starting import hand_over

OPENING = Opening(
    address="rest:http://127.0.0.1/storage/x/",
    token="token",
    certificate="C" * 5000,
    password="correct horse battery staple",
    folder="/unlocked",
    name="name",
    secret="secret",
    idle_seconds=900,
    longest_seconds=43_200,
)


class NarrowPipe(io.BytesIO):
    """Takes a hundred bytes at a time, and remembers whose they were."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[bytearray] = []

    def write(self, data: object) -> int:
        assert isinstance(data, memoryview)
        if isinstance(data.obj, bytearray):
            self.sources.append(data.obj)
        return super().write(data[:100])


def test_all_arrives_and_nothing_of_it_stays_where_it_was_written() -> None:
    pipe = NarrowPipe()

    hand_over(pipe, OPENING)

    pipe.seek(0)
    assert msgspec.msgpack.decode(frames.read(pipe), type=Opening) == OPENING
    assert pipe.sources
    assert not any(any(source) for source in pipe.sources)
