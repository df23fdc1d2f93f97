"""The program that a console hands out is the one that it runs, and can be installed."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from backup_agent import __version__
from console_ui.download.wheel import wheel, wheel_name


def test_the_wheel_is_installed_and_runs(db: None, client: Client, tmp_path: Path) -> None:
    answer = client.get(f"/download/{wheel_name()}")
    assert answer.status_code == 200
    file = tmp_path / wheel_name()
    file.write_bytes(answer.content)
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]

    subprocess.run([*pip, "--target", target, file], check=True)
    told = subprocess.check_output(
        [sys.executable, "-m", "backup_agent", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        text=True,
    )

    assert told.strip() == f"everboot {__version__}"
    assert (target / "backup_agent" / "agent" / "service.py").exists()
    assert (target / "console_ui" / "web" / "static" / "kit.css").exists()
    assert "everboot" in {path.name for path in (target / "bin").iterdir()}


def test_the_same_packages_make_the_same_wheel_without_caches_of_python(db: None) -> None:
    names = zipfile.ZipFile(io.BytesIO(wheel())).namelist()

    assert not [name for name in names if "__pycache__" in name]
    before = wheel()
    wheel.cache_clear()
    assert wheel() == before


def test_constraints_name_what_a_device_needs_and_nothing_of_the_console(
    db: None, client: Client
) -> None:
    lines = client.get("/download/constraints.txt").content.decode().splitlines()

    assert all(re.fullmatch(r"[a-z0-9.-]+==\S+", line) for line in lines)
    names = {line.partition("==")[0] for line in lines}
    assert {"cryptography", "zstandard", "httpx", "certifi"} <= names
    assert not names & {"django", "pytest", "everboot", "uvicorn"}


def test_the_page_shows_one_line_that_installs_and_links(owner: Client) -> None:
    page = owner.get("/download").content.decode()

    assert f"http://localhost:8470/download/{wheel_name()} &amp;&amp;" in page
    assert "bin/everboot link http://localhost:8470<" in page
    assert "use the rescue media for now" in page
    assert 'href="/download"' in owner.get("/devices").content.decode()


@pytest.mark.parametrize("name", ["everboot-0.0.0-py3-none-any.whl", "key", "console.sqlite3"])
def test_nothing_else_is_handed_out(db: None, client: Client, name: str) -> None:
    assert client.get(f"/download/{name}").status_code == 404
