"""The process that holds one repository's key: ``python -m console_ui.unlocked``.

What it is to do comes through standard input, which then stays open: at its end, whoever started
this process is gone, and so is this process. One message on standard output says how opening went.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from backup_agent.errors import EverbootError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.repositories import Access, StorageOptions, opened, reading
from console_ui.unlocked import frames
from console_ui.unlocked.door import listening, short_path
from console_ui.unlocked.lifetime import Lifetime
from console_ui.unlocked.limits import limit_process
from console_ui.unlocked.messages import Failed, Opening, Ready
from console_ui.unlocked.service import Service
from console_ui.unlocked.vault import UnlockedVault

_LARGEST_OPENING = 1 << 20


class GatewayToken:
    """A ``TokenSource``: the one token that the console gave, which cannot be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def instead_of(self, refused: str) -> str:
        return refused

    def close(self) -> None:
        """It ends with the console's session."""


def main() -> None:
    limit_process()
    opening = msgspec.msgpack.decode(
        frames.read(sys.stdin.buffer, largest=_LARGEST_OPENING), type=Opening
    )
    try:
        serve(opening)
    except EverbootError as exc:
        _tell(Failed(exc.code, exc.message, exc.hint))
    # Threads that wait for somebody must not keep the key here.
    os._exit(0)


def serve(opening: Opening) -> None:
    """Open the vault, say so, and answer until it is locked again.

    Raises ``WrongPasswordError``, ``RepositoryNotFoundError``, ``IntegrityError``,
    ``StorageError``.
    """
    access = Access(
        opening.address,
        password=lambda: opening.password,
        environment={},
        options=StorageOptions(tokens=GatewayToken(opening.token), certificate=opening.certificate),
    )
    lifetime = Lifetime(
        idle_seconds=opening.idle_seconds,
        longest_seconds=opening.longest_seconds,
        clock=time.monotonic,
    )
    with ExitStack() as stack:
        repository = stack.enter_context(opened(access, emit=ignore, cancel=CancelToken()))
        # The gateway goes on giving it what is deleted meanwhile (docs/adr/0005).
        reader = stack.enter_context(reading(repository, emit=ignore, with_lock=False))
        vault = stack.enter_context(closing(UnlockedVault(repository, reader)))
        folder = Path(opening.folder)
        listener = stack.enter_context(listening(folder, opening.name))
        stack.callback(_remove_socket, folder, opening.name)
        _tell(Ready())
        service = Service(vault, secret=opening.secret, lifetime=lifetime, leash=sys.stdin.fileno())
        service.run(listener)


def _tell(answer: Ready | Failed) -> None:
    try:
        frames.write(sys.stdout.buffer, msgspec.msgpack.encode(answer))
    except OSError:
        # Nobody waits for it any more.
        return


def _remove_socket(folder: Path, name: str) -> None:
    with short_path(folder, name) as path:
        Path(path).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
