"""The key file: the one secret that lies beside the database and never inside it.

The file is text, so that it survives being printed or pasted::

    everboot console key 1
    <32 random bytes in base64>

Whoever has only the database learns no seed, no storage secret and no session.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import NewType

from backup_agent.errors import UsageError

MasterKey = NewType("MasterKey", bytes)

_HEADER = "everboot console key 1"
_KEY_BYTES = 32


def read_or_create(path: Path) -> MasterKey:
    """The key in ``path``, made on first use and readable by its owner only.

    Raises ``UsageError`` for a file that holds no key: making a new one instead would lose
    everything that was sealed.
    """
    try:
        return _parse(path.read_text(encoding="ascii"), path)
    except FileNotFoundError:
        return _create(path)
    except UnicodeDecodeError as exc:
        raise _damaged(path) from exc


def _create(path: Path) -> MasterKey:
    key = MasterKey(secrets.token_bytes(_KEY_BYTES))
    text = f"{_HEADER}\n{base64.b64encode(key).decode()}\n"
    # Complete under another name first: a crash leaves no half key behind.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, not a rename: the first of two consoles that start together wins.
        os.link(draft, path)
    except FileExistsError:
        return _parse(path.read_text(encoding="ascii"), path)
    finally:
        draft.unlink()
    return key


def _parse(text: str, path: Path) -> MasterKey:
    header, _, encoded = text.strip().partition("\n")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error as exc:
        raise _damaged(path) from exc
    if header != _HEADER or len(key) != _KEY_BYTES:
        raise _damaged(path)
    return MasterKey(key)


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"The key file {path} is damaged.",
        hint="Put the copy from your backup there: without it, no stored secret can be opened.",
    )
