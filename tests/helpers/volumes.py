"""Volumes with files in them, made and looked into by the file systems' own tools."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.disk_images import run_tool


def make_file_system(path: Path, size: int, *command: str) -> Path:
    """An image of that size, formatted by the command, to which the path is appended."""
    with open(path, "wb") as file:
        file.truncate(size)
    run_tool(*command, path)
    return path


def put_fat(volume: Path, source: Path, name: str) -> None:
    run_tool("mcopy", "-o", "-i", volume, source, f"::{name}")


def put_ntfs(volume: Path, source: Path, name: str) -> None:
    run_tool("ntfscp", "--quiet", "--force", volume, source, name)


def put_ext(volume: Path, source: Path, name: str) -> None:
    run_tool("debugfs", "-w", "-R", f"write {source} {name}", volume)


def remove_fat(volume: Path, name: str) -> None:
    run_tool("mdel", "-i", volume, f"::{name}")


def remove_ext(volume: Path, name: str) -> None:
    run_tool("debugfs", "-w", "-R", f"rm {name}", volume)


def read_fat(volume: Path, name: str, scratch: Path) -> bytes:
    run_tool("mcopy", "-n", "-o", "-i", volume, f"::{name}", scratch)
    return scratch.read_bytes()


def read_ntfs(volume: Path, name: str, scratch: Path) -> bytes:
    run_tool("ntfscat", "--force", "--output", scratch, volume, name)
    return scratch.read_bytes()


def read_ext(volume: Path, name: str, scratch: Path) -> bytes:
    run_tool("debugfs", "-R", f"dump {name} {scratch}", volume)
    return scratch.read_bytes()
