"""Files that show, at any later look, whether they were seen in one moment.

A writer numbers all it does and lets each step reach the disk before the next:
page after page of a big file is stamped with a round's number, and after each
round a letter is written, then its receipt. In one moment there are at most
two rounds in the file, the newer before the older, and no receipt without its
letter.

``python -m tests.machines.ledger FOLDER`` writes until it is killed.
"""

from __future__ import annotations

import hashlib
import os
import sys
from itertools import count, groupby
from pathlib import Path

_PAGE = 64 << 10
_PAGES = 256


def write_forever(folder: Path) -> None:
    """Write round after round; ``folder`` exists."""
    book = os.open(folder / "book", os.O_RDWR | os.O_CREAT | os.O_DSYNC)
    for number in count(1):
        for page in range(_PAGES):
            os.pwrite(book, _stamp(number) * (_PAGE // 8), page * _PAGE)
        _write_through(folder / f"letter-{number}", _letter(number))
        _write_through(folder / f"receipt-{number}", hashlib.sha256(_letter(number)).digest())


def rounds_written(folder: Path) -> int:
    """How many letters there are."""
    return len(list(folder.glob("letter-*")))


def assert_one_moment(folder: Path) -> None:
    """Fail if no moment of the writer's work looked like this."""
    book = (folder / "book").read_bytes()
    stamps = [book[place : place + _PAGE] for place in range(0, len(book), _PAGE)]
    numbers = [int.from_bytes(page[:8], "little") for page in stamps]
    assert stamps == [_stamp(number) * (_PAGE // 8) for number in numbers], "a torn page"
    rounds = [number for number, _ in groupby(numbers)]
    done = rounds_written(folder)
    assert rounds in ([done], [done + 1], [done + 1, done]), f"{rounds} after {done} letters"
    for number in range(1, done + 1):
        assert (folder / f"letter-{number}").read_bytes() in (_letter(number), b"")
    receipts = len(list(folder.glob("receipt-*")))
    assert receipts in (done, done - 1)
    for number in range(1, receipts):
        digest = hashlib.sha256((folder / f"letter-{number}").read_bytes()).digest()
        assert (folder / f"receipt-{number}").read_bytes() == digest


def _write_through(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(file, content)
    os.fsync(file)
    os.close(file)


def _stamp(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _letter(number: int) -> bytes:
    return b"letter %d\n" % number * 1000


if __name__ == "__main__":
    write_forever(Path(sys.argv[1]))
