"""Requests and answers, as far as the gateway needs them of ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by their names in lower case; ``address`` is where it comes from."""

    method: str
    path: str
    headers: Mapping[str, str]
    address: str

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Request:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        return cls(scope["method"], scope["path"], headers, client[0] if client else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is complete, or ``stream`` follows; ``length`` is given where it is known."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    length: int | None = None


class Refusal(Exception):  # noqa: N818 (an answer, raised to end a request early)
    """An answer that says no, in words for a person."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.answer = Answer(
            status,
            {"Content-Type": "text/plain; charset=utf-8", **(headers or {})},
            f"{text}\n".encode(),
        )


class Disconnected(Exception):  # noqa: N818 (no error of ours)
    """Nobody is there any more to answer."""
