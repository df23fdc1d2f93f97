"""What is backed up in the measurements: made anew, the same every time."""

from __future__ import annotations

import random
from pathlib import Path

_WORDS = 4000
_FILES_A_FOLDER = 40


def incompressible_file(path: Path, size: int) -> None:
    """Random bytes."""
    generator = random.Random(1)
    with open(path, "wb") as file:
        file.writelines(generator.randbytes(1 << 20) for _ in range(size >> 20))


def tree_of_small_files(root: Path, files: int) -> None:
    """Text like source code: a few hundred bytes to a few hundred KiB, in nested folders.

    Sizes follow a log-normal distribution (median 3 KiB), which is what source
    trees and documents show.
    """
    generator = random.Random(2)
    words = [
        "".join(generator.choices("abcdefghijklmnopqrstuvwxyz_", k=generator.randint(2, 12)))
        for _ in range(_WORDS)
    ]
    for number in range(files):
        folder = root / f"{number // 1600:03d}" / f"{number // _FILES_A_FOLDER % 40:02d}"
        if number % _FILES_A_FOLDER == 0:
            folder.mkdir(parents=True, exist_ok=True)
        size = min(int(generator.lognormvariate(8.0, 1.3)), 2 << 20)
        text = " ".join(generator.choices(words, k=size // 7 + 1))
        (folder / f"file-{number}.txt").write_text(_as_lines(text, generator))


def change_some(root: Path, share: float) -> None:
    """Append a line to so many of the files below a folder."""
    generator = random.Random(3)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        if generator.random() < share:
            with open(path, "a") as file:
                file.write("one line more\n")


def _as_lines(text: str, generator: random.Random) -> str:
    words = text.split(" ")
    lines = []
    while words:
        take = generator.randint(1, 12)
        lines.append("    " * generator.randint(0, 4) + " ".join(words[:take]))
        words = words[take:]
    return "\n".join(lines) + "\n"
