"""Who may ask an unlocked vault, and for how long: the process's side of the socket."""

from __future__ import annotations

import hmac
import select
import socket
import threading
from collections.abc import Callable
from typing import assert_never

import msgspec

from backup_agent.errors import EverbootError, JobCancelledError
from backup_agent.model.cancel import CancelToken
from console_ui.unlocked import frames
from console_ui.unlocked.door import is_own_user
from console_ui.unlocked.frames import BrokenFrameError
from console_ui.unlocked.lifetime import Lifetime
from console_ui.unlocked.limits import limit_cpu_from_here
from console_ui.unlocked.messages import (
    Answer,
    AskZip,
    DescribePoints,
    Done,
    Failed,
    Hello,
    KeepSearch,
    KeepSelection,
    ListFolder,
    Lock,
    Piece,
    ReadPreview,
    Request,
    Search,
    SendZip,
    Zip,
    ZipDone,
)
from console_ui.unlocked.vault import UnlockedVault
from console_ui.unlocked.zipping import Zips

_LARGEST_HELLO = 1 << 10
_SPEAKING_SECONDS = 30
_LOOKS_ROUND_SECONDS = 1.0
_CONVERSATIONS = 32


class Service:
    """Answers until the vault's lifetime is over, it is locked, or ``leash`` has come to its end.

    ``leash`` is a pipe that whoever started this process holds open. ``note_progress`` is called
    at each sign of it.
    """

    def __init__(
        self,
        vault: UnlockedVault,
        *,
        secret: str,
        lifetime: Lifetime,
        leash: int | None = None,
        note_progress: Callable[[], None] = limit_cpu_from_here,
    ) -> None:
        self._vault = vault
        self._zips = Zips(vault)
        self._secret = secret.encode()
        self._lifetime = lifetime
        self._leash = leash
        self._note_progress = note_progress
        self._is_locked = threading.Event()
        self._turns = threading.BoundedSemaphore(_CONVERSATIONS)

    def run(self, listener: socket.socket) -> None:
        """Each conversation has a thread of its own; more than a few at once wait."""
        watched = [listener.fileno(), *([] if self._leash is None else [self._leash])]
        while not (self._lifetime.is_over or self._is_locked.is_set()):
            wait = min(self._lifetime.left_seconds, _LOOKS_ROUND_SECONDS)
            ready, _, _ = select.select(watched, (), (), wait)
            if self._leash in ready:
                return
            if listener.fileno() in ready and self._turns.acquire(timeout=_LOOKS_ROUND_SECONDS):
                stream, _ = listener.accept()
                threading.Thread(target=self._converse, args=(stream,), daemon=True).start()

    def _converse(self, stream: socket.socket) -> None:
        try:
            with stream:
                stream.settimeout(_SPEAKING_SECONDS)
                request = self._heard(stream)
                if request is not None:
                    self._answer(stream, request)
        except (OSError, BrokenFrameError, msgspec.MsgspecError):
            # Whoever asked is gone, or is nobody of ours.
            return
        finally:
            self._turns.release()

    def _heard(self, stream: socket.socket) -> Request | None:
        """The request of one who knows the secret; None for anybody else."""
        if not is_own_user(stream):
            return None
        hello = msgspec.msgpack.decode(frames.receive(stream, largest=_LARGEST_HELLO), type=Hello)
        if not hmac.compare_digest(hello.secret.encode(), self._secret):
            return None
        request: Request = msgspec.msgpack.decode(frames.receive(stream), type=Request)
        return request

    def _answer(self, stream: socket.socket, request: Request) -> None:
        self._note_progress()
        if isinstance(request, AskZip):
            # A page that looks by itself how far a download is: that is nobody's use.
            _send(stream, self._zips.state(request.selection))
            return
        with self._lifetime.used():
            try:
                answer = self._made_answer(stream, request)
            except JobCancelledError:
                return
            except EverbootError as exc:
                answer = Failed(exc.code, exc.message, exc.hint)
            except MemoryError:
                answer = Failed("unlocked.memory", "This takes more memory than there is.", "")
        # Whoever has the answer may count on it that nothing is used any more.
        _send(stream, answer)

    def _made_answer(self, stream: socket.socket, request: Request) -> Answer:
        vault = self._vault
        match request:
            case DescribePoints(ids):
                return vault.describe_points(ids)
            case ListFolder():
                return vault.list_folder(request)
            case KeepSearch():
                return vault.keep_search(request)
            case Search():
                return vault.search(request, _HangUp(stream))
            case ReadPreview():
                return vault.preview(request)
            case KeepSelection():
                return vault.keep_selection(request)
            case Zip():
                return self._zip(stream, request)
            case AskZip(selection):
                return self._zips.state(selection)
            case Lock():
                self._is_locked.set()
                return Done()
            case _:
                assert_never(request)

    def _zip(self, stream: socket.socket, request: Zip) -> ZipDone:
        def send(data: bytes) -> None:
            _send(stream, Piece(data))
            self._lifetime.use()
            self._note_progress()

        cancel = _HangUp(stream)
        with self._zips.planned(request.selection, cancel=cancel) as zipped:
            _send(stream, zipped.head)
            wanted = msgspec.msgpack.decode(frames.receive(stream), type=SendZip)
            # Who takes nothing for as long as this does not use the vault; it may be locked then.
            stream.settimeout(max(1.0, self._lifetime.left_seconds))
            self._zips.send(zipped, wanted, send, cancel=cancel)
        return ZipDone()


class _HangUp(CancelToken):
    """Cancelled when the other side has closed the stream; on it, nothing else is expected."""

    def __init__(self, stream: socket.socket) -> None:
        super().__init__()
        self._stream = stream

    def raise_if_cancelled(self) -> None:
        ready, _, _ = select.select((self._stream,), (), (), 0)
        if ready:
            self.cancel()
        super().raise_if_cancelled()


def _send(stream: socket.socket, answer: Answer) -> None:
    frames.send(stream, msgspec.msgpack.encode(answer))
