"""The program that runs here, as a wheel (PEP 427) made from its packages.

Works for an installation from a wheel and for one from a checkout alike; the same packages give
the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "everboot"
_PACKAGES = ("backup_agent", "rescue_media", "console_ui", "iso_builder")
_METADATA = ("METADATA", "entry_points.txt", "licenses/LICENSE")
_WHEEL = "Wheel-Version: 1.0\nGenerator: everboot\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# The earliest that a zip knows; when a file was installed here is nobody's business.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def wheel_name() -> str:
    return f"{DISTRIBUTION}-{_installed().version}-py3-none-any.whl"


@cache
def wheel() -> bytes:
    """About a megabyte; made once in a process."""
    installed = _installed()
    folder = f"{DISTRIBUTION}-{installed.version}.dist-info"
    files = dict(_program())
    for name in _METADATA:
        if (text := installed.read_text(name)) is not None:
            files[f"{folder}/{name}"] = text.encode()
    files[f"{folder}/WHEEL"] = _WHEEL.encode()
    files[f"{folder}/RECORD"] = _record(files, f"{folder}/RECORD")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _MODE
            archive.writestr(entry, content)
    return packed.getvalue()


def _installed() -> Distribution:
    return distribution(DISTRIBUTION)


def _program() -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for file in sorted(root.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{package}/{file.relative_to(root).as_posix()}", file.read_bytes()


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    """Name, SHA-256 and size of each file, as installers check them."""
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}")
    return "\n".join([*lines, f"{own_name},,", ""]).encode()
